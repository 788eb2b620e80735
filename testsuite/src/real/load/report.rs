//! What a load run says at its end.
use std::time::{Duration, Instant};

use serde::Serialize;

use super::Options;
use super::record::Record;

/// Seconds before a mark's own second that it is held against.
const SECONDS_BEFORE: u32 = 5;

/// The result of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Connections used.
    pub connections: usize,
    /// Threads used.
    pub threads: usize,
    /// How long it took.
    pub seconds: f64,
    /// Requests sent.
    pub sent: u64,
    /// Requests with a wrong reply, or none.
    pub failed: u64,
    /// The first failures in words.
    pub failures: Vec<String>,
    /// Right replies per second.
    pub rate: f64,
    /// Of the right replies.
    pub latency_us: Latency,
    /// Longest time between two replies of one connection.
    pub longest_gap_us: u64,
    /// Gaps around the moments that were marked.
    pub marks: Vec<Mark>,
}

/// Percentiles in microseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Latency {
    /// Half of the replies were faster.
    pub p50: u64,
    /// 99 % were.
    pub p99: u64,
    /// 99.9 % were.
    pub p999: u64,
    /// The slowest.
    pub max: u64,
}

/// A marked moment.
#[derive(Clone, Debug, Serialize)]
pub struct Mark {
    /// What happened.
    pub name: String,
    /// When, in seconds since the start.
    pub at_seconds: f64,
    /// Longest gap in the second around the moment.
    pub around_us: u64,
    /// Longest gap in each of the seconds before that one, the latest first.
    pub before_us: Vec<u64>,
}

impl Report {
    /// The mark with that name.
    pub fn mark(&self, name: &str) -> Option<&Mark> {
        self.marks.iter().find(|mark| mark.name == name)
    }
}

impl Mark {
    /// The longest gap of all the seconds before.
    pub fn longest_before_us(&self) -> u64 {
        self.before_us.iter().copied().max().unwrap_or(0)
    }

    fn new(name: &str, at: Duration, record: &Record) -> Self {
        let second = Duration::from_secs(1);
        let from = at.saturating_sub(second / 2);
        let window = |back: u32| {
            let to = from.saturating_sub(second * back);
            (to.saturating_sub(second), to)
        };
        let whole = |back: &u32| from >= second * (back + 1);
        let before = (0..SECONDS_BEFORE).filter(whole).map(window);
        Self {
            name: name.to_owned(),
            at_seconds: at.as_secs_f64(),
            around_us: record.longest_gap_us(from, at + second / 2),
            before_us: before.map(|(from, to)| record.longest_gap_us(from, to)).collect(),
        }
    }
}

pub(super) fn report(options: &Options, record: &Record, marks: &[(String, Instant)], time: Duration) -> Report {
    let latency = &record.latency_us;
    let mark = |(name, moment): &(String, Instant)| Mark::new(name, record.since_start(*moment), record);
    Report {
        connections: options.connections,
        threads: options.threads,
        seconds: time.as_secs_f64(),
        sent: latency.len() + record.failed,
        failed: record.failed,
        failures: record.failures.clone(),
        rate: latency.len() as f64 / time.as_secs_f64(),
        latency_us: Latency {
            p50: latency.value_at_quantile(0.5),
            p99: latency.value_at_quantile(0.99),
            p999: latency.value_at_quantile(0.999),
            max: latency.max(),
        },
        longest_gap_us: record.longest_gap_us(Duration::ZERO, Duration::MAX),
        marks: marks.iter().map(mark).collect(),
    }
}
