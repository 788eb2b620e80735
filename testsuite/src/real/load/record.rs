//! What one thread has seen; those of all threads add up to one.
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// Failures kept in full; of the others only the number.
const SHOWN_FAILURES: usize = 5;
/// Longest latency that is told apart, in microseconds: an hour, far more than a run takes. (A histogram without bounds
/// tells nothing above 2,047 apart when it is told to saturate.)
const LONGEST_US: u64 = 3_600_000_000;

#[derive(Debug)]
pub(super) struct Record {
    start: Instant,
    pub(super) latency_us: Histogram<u64>,
    pub(super) failed: u64,
    pub(super) failures: Vec<String>,
    /// For each millisecond since the start: the longest gap, in microseconds, that a reply then ended.
    gaps_us: Vec<u32>,
}

impl Record {
    pub(super) fn new(start: Instant) -> Self {
        let latency_us = Histogram::new_with_bounds(1, LONGEST_US, 3).expect("3 digits up to an hour are allowed");
        Self { start, latency_us, failed: 0, failures: Vec::new(), gaps_us: Vec::new() }
    }

    /// A right reply at `now` to what was due at `due`, on a connection whose last reply was at `last`.
    pub(super) fn reply(&mut self, now: Instant, due: Instant, last: Option<Instant>) {
        self.latency_us.saturating_record(micros(now - due));
        if let Some(last) = last {
            let bucket = usize::try_from((now - self.start).as_millis()).unwrap_or(usize::MAX - 1);
            if self.gaps_us.len() <= bucket {
                self.gaps_us.resize(bucket + 1, 0);
            }
            let gap = u32::try_from(micros(now - last)).unwrap_or(u32::MAX);
            self.gaps_us[bucket] = self.gaps_us[bucket].max(gap);
        }
    }

    pub(super) fn since_start(&self, moment: Instant) -> Duration {
        moment.saturating_duration_since(self.start)
    }

    pub(super) fn failure(&mut self, what: String) {
        self.failed += 1;
        if self.failures.len() < SHOWN_FAILURES {
            self.failures.push(what);
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.latency_us.add(&other.latency_us).expect("all histograms have the same bounds");
        self.failed += other.failed;
        let room = SHOWN_FAILURES.saturating_sub(self.failures.len());
        self.failures.extend(other.failures.iter().take(room).cloned());
        if self.gaps_us.len() < other.gaps_us.len() {
            self.gaps_us.resize(other.gaps_us.len(), 0);
        }
        for (mine, theirs) in self.gaps_us.iter_mut().zip(&other.gaps_us) {
            *mine = (*mine).max(*theirs);
        }
    }

    /// The longest gap of any connection that overlaps the time from `from` to `to` (since the start), in microseconds.
    pub(super) fn longest_gap_us(&self, from: Duration, to: Duration) -> u64 {
        let ended = self.gaps_us.iter().enumerate().skip(usize::try_from(from.as_millis()).unwrap_or(usize::MAX));
        ended
            .filter(|(millisecond, gap)| {
                let began =
                    Duration::from_millis(*millisecond as u64).saturating_sub(Duration::from_micros(u64::from(**gap)));
                began <= to
            })
            .map(|(_, gap)| u64::from(*gap))
            .max()
            .unwrap_or(0)
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_counts_in_every_window_it_overlaps() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut record = Record::new(start);
        record.reply(at(100), at(99), Some(at(98)));
        record.reply(at(900), at(200), Some(at(300)));
        let gap = |from, to| record.longest_gap_us(Duration::from_millis(from), Duration::from_millis(to));
        assert_eq!(gap(0, 200), 2_000, "the long one begins later");
        assert_eq!(gap(200, 400), 600_000);
        assert_eq!(gap(500, 600), 600_000, "nothing ended in here, and that is the point");
        assert_eq!(gap(901, 2_000), 0);
    }

    #[test]
    fn a_long_latency_is_recorded_as_it_was() {
        let start = Instant::now();
        let mut record = Record::new(start);
        record.reply(start + Duration::from_secs(2), start, None);
        assert_eq!(record.latency_us.max() / 10_000, 200, "2 s, to three digits");
        record.reply(start + Duration::from_secs(7_200), start, None);
        assert!(record.latency_us.max() >= LONGEST_US, "what is longer counts as the longest");
    }

    #[test]
    fn threads_add_up() {
        let start = Instant::now();
        let (mut one, mut two) = (Record::new(start), Record::new(start));
        one.reply(start + Duration::from_millis(5), start, None);
        two.failure("no".to_owned());
        two.reply(start + Duration::from_millis(9), start, Some(start));
        one.add(&two);
        assert_eq!((one.latency_us.len(), one.failed, one.failures.len()), (2, 1, 1));
        assert_eq!(one.longest_gap_us(Duration::ZERO, Duration::from_secs(1)), 9_000);
    }
}
