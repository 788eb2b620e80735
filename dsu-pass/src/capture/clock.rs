//! Strings that `__DATE__` and `__TIME__` made: they differ in every build, and mean nothing. They are known by what
//! they say: the day of this compilation, and a time a few minutes before it.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::llvm::Module;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY: i64 = 86_400;
/// Time zones differ by whole quarters of an hour.
const QUARTER: i64 = 900;
/// A unit may have been compiling for so long.
const LONGEST: i64 = 600;

/// The date and time strings in the module's constants. A time counts only beside a date: alone, it may be any.
pub(super) fn stamps(module: &Module<'_>) -> Vec<String> {
    let texts = module.globals().filter_map(|g| g.initializer()?.bytes());
    let mut found = BTreeSet::new();
    let now = compiling_at();
    for text in texts {
        found.extend(windows(&text, 11).filter(|w| is_date(w, now)).map(str::to_owned));
    }
    if !found.is_empty() {
        for text in module.globals().filter_map(|g| g.initializer()?.bytes()) {
            found.extend(windows(&text, 8).filter(|w| is_time(w, now)).map(str::to_owned));
        }
    }
    found.into_iter().collect()
}

/// Seconds since 1970; clang honours the variable too.
fn compiling_at() -> i64 {
    let fixed = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|v| v.parse().ok());
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
    fixed.unwrap_or_else(clock)
}

fn windows(text: &[u8], size: usize) -> impl Iterator<Item = &str> {
    text.windows(size).filter_map(|w| std::str::from_utf8(w).ok())
}

/// `Nov  6 2026`, within a day of now, wherever on earth.
fn is_date(text: &str, now: i64) -> bool {
    let (Some(month), Some(day), Some(year)) = (text.get(..3), text.get(4..6), text.get(7..)) else { return false };
    let month = MONTHS.iter().position(|m| *m == month).and_then(|m| i64::try_from(m).ok());
    let (Some(month), Ok(day), Ok(year)) = (month, day.trim_start().parse(), year.parse()) else { return false };
    let spaced = text.get(3..4) == Some(" ") && text.get(6..7) == Some(" ");
    spaced && (days(year, month + 1, day) - now.div_euclid(DAY)).abs() <= 1
}

/// Days since 1970 of a Gregorian date.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March put the leap day at their end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day
        - 719_469
}

/// `09:05:59`, a few minutes ago in some time zone.
fn is_time(text: &str, now: i64) -> bool {
    let fields: Option<Vec<i64>> = text.split(':').map(|f| f.parse().ok().filter(|_| f.len() == 2)).collect();
    let Some([hours @ 0..24, minutes @ 0..60, seconds @ 0..60]) = fields.as_deref() else { return false };
    (now - (hours * 3600 + minutes * 60 + seconds)).rem_euclid(QUARTER) <= LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-06 10:20:30 UTC.
    const NOW: i64 = 1_793_960_430;

    #[test]
    fn the_day_of_the_compilation_is_a_stamp_and_no_other() {
        for (text, wanted) in [
            ("Nov  6 2026", true),
            ("Nov  7 2026", true),
            ("Nov  9 2026", false),
            ("Nov  6 2025", false),
            ("Nov_ 6 2026", false),
        ] {
            assert_eq!(is_date(text, NOW), wanted, "{text}");
        }
        assert_eq!((days(1970, 1, 1), days(2000, 3, 1), days(2026, 11, 6)), (0, 11_017, NOW.div_euclid(DAY)));
    }

    #[test]
    fn a_time_just_before_is_one() {
        assert!(is_time("10:19:30", NOW) && is_time("15:49:59", NOW));
        assert!(!is_time("10:21:30", NOW) && !is_time("1x:19:30", NOW) && !is_time("25:19:30", NOW));
    }
}
