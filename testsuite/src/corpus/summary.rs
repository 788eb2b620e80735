//! Steps counted, and their reasons.
use std::collections::BTreeMap;

use super::step::{Step, Verdict, Vouched};

/// Rows of a table.
pub type Rows = Vec<Vec<String>>;

/// A row for each source and one for all: steps, those without change, patched, refused, wrong, the share of those with
/// a change that were patched, and how many of the refused work on a person's word, with the share that makes.
pub fn by_source(steps: &[Step]) -> Rows {
    let mut sources: Vec<&str> = steps.iter().map(|step| &*step.source).collect();
    sources.dedup();
    let mut rows: Rows =
        sources.iter().map(|source| row(source, &|step: &&Step| step.source == *source, steps)).collect();
    rows.push(row("all", &|_| true, steps));
    rows
}

fn row(name: &str, of: &dyn Fn(&&Step) -> bool, steps: &[Step]) -> Vec<String> {
    let count = |is: fn(&Verdict) -> bool| steps.iter().filter(of).filter(|step| is(&step.verdict)).count();
    let unchanged = count(|verdict| matches!(verdict, Verdict::NoChange));
    let patched = count(|verdict| matches!(verdict, Verdict::Patched { .. }));
    let refused = count(|verdict| matches!(verdict, Verdict::Refused { .. }));
    let wrong = count(|verdict| matches!(verdict, Verdict::Wrong { .. }));
    let changing = patched + refused + wrong;
    let share = |part| if changing == 0 { "-".to_owned() } else { format!("{:.0} %", percent(part, changing)) };
    let vouched = count(|verdict| matches!(verdict, Verdict::Refused { vouched: Vouched::Works, .. }));
    let numbers = [unchanged + changing, unchanged, patched, refused, wrong].map(|number| number.to_string());
    let both = share(patched + vouched);
    [&[name.to_owned()], &numbers[..], &[share(patched), vouched.to_string(), both]].concat()
}

/// A row for each reason, most frequent first: steps it is met in, those it alone refuses, an example.
pub fn by_reason(steps: &[Step]) -> Rows {
    let mut found: BTreeMap<&str, (usize, usize, String)> = BTreeMap::new();
    for step in steps {
        let Verdict::Refused { reasons, .. } = &step.verdict else { continue };
        for (reason, message) in reasons {
            let example = || format!("{} {} -> {}: {message}", step.source, step.old, step.new);
            let entry = found.entry(reason).or_insert_with(|| (0, 0, example()));
            entry.0 += 1;
            entry.1 += usize::from(reasons.len() == 1);
        }
    }
    let mut rows: Vec<_> = found.into_iter().collect();
    rows.sort_by_key(|(_, (count, ..))| std::cmp::Reverse(*count));
    let row = |(reason, (count, alone, example)): (&str, (usize, usize, String))| {
        let share = format!("{:.0} %", percent(count, steps.len()));
        vec![reason.to_owned(), count.to_string(), share, alone.to_string(), example.replace('|', "\\|")]
    };
    rows.into_iter().map(row).collect()
}

/// A row for each step.
pub fn each(steps: &[Step]) -> Rows {
    let row = |step: &Step| {
        let (verdict, size) = match &step.verdict {
            Verdict::Patched { bytes, functions, visible, in_newest } => {
                let seen = if *visible { "" } else { ", works alike" };
                let how = if *in_newest { ", in `newest`" } else { "" };
                (format!("patched: {functions} functions{seen}{how}"), bytes.to_string())
            }
            Verdict::NoChange => ("no change".to_owned(), String::new()),
            Verdict::Refused { reasons, vouched } => {
                let word = match vouched {
                    Vouched::Impossible => "",
                    Vouched::Works => "; works if accepted",
                    Vouched::Fails(_) => "; fails if accepted",
                };
                (format!("refused: {}{word}", reasons.keys().cloned().collect::<Vec<_>>().join(", ")), String::new())
            }
            Verdict::Wrong { message } => {
                (format!("WRONG: {}", message.lines().next().unwrap_or_default()), String::new())
            }
        };
        let changes: Vec<String> = step.changes.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let seconds = format!("{:.1}", step.seconds);
        vec![step.source.clone(), step.old.clone(), step.new.clone(), verdict, changes.join(", "), size, seconds]
    };
    steps.iter().map(row).collect()
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(verdict: Verdict) -> Step {
        let name = |name: &str| name.to_owned();
        Step { source: name("s"), old: name("1"), new: name("2"), verdict, changes: BTreeMap::new(), seconds: 0.0 }
    }

    #[test]
    fn the_share_is_of_steps_that_change_code() {
        let refused = |ids: &[&str], vouched| Verdict::Refused {
            reasons: ids.iter().map(|id| ((*id).into(), "m".into())).collect(),
            vouched,
        };
        let steps = [
            step(Verdict::NoChange),
            step(Verdict::Patched { bytes: 1, functions: 1, visible: true, in_newest: false }),
            step(refused(&["data-changed"], Vouched::Works)),
            step(refused(&["data-changed", "layout-changed"], Vouched::Fails(String::new()))),
        ];
        assert_eq!(by_source(&steps)[0], ["s", "4", "1", "1", "2", "0", "33 %", "1", "67 %"]);
        assert_eq!(by_reason(&steps)[0][..4], ["data-changed", "2", "50 %", "1"]);
    }
}
