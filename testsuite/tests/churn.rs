//! Servers under load are updated again and again: no request fails, and nothing stays behind. `dsu-bench churn` does
//! it thousands of times.
use std::time::Duration;

use anyhow::{Result, ensure};
use testsuite::churn::{UnderLoad, churn_under_load};
use testsuite::programs::Consistency;
use testsuite::real::kvd::Kvd;
use testsuite::real::memcached;
use testsuite::real::redis;
use testsuite::real::skip::run;
use testsuite::real::subject::Subject;

/// Memory after the last update, as a multiple of that after the hundredth; a short run has the noise of a short run.
const GROWTH: f64 = 1.05;

fn churned(subjects: &[Box<dyn Subject>], consistency: Consistency, updates: u32) -> Result<()> {
    let longest_pause = Duration::from_millis(20);
    let plan = UnderLoad { consistency, updates, longest_pause, rate: 4_000, seed: 3, identity: false };
    let (outcome, report) = churn_under_load(subjects, plan, &mut |_, _| {})?;
    println!(
        "{} requests, {} applied, {} reverted, {} mappings",
        report.sent, outcome.applied, outcome.reverted, outcome.mappings
    );
    println!("resident: {} KiB, settled {} KiB", outcome.last_kib, outcome.settled_kib);
    ensure!(report.sent > 1_000, "hardly any load: {report:?}");
    ensure!(outcome.growth() < GROWTH, "memory grows: {outcome:?}");
    Ok(())
}

#[test]
fn kvd_in_newest() {
    run(|| churned(&[Box::new(Kvd::V2), Box::new(Kvd::V3)], Consistency::Newest, 250));
}

#[test]
fn memcached_in_newest() {
    run(|| churned(&[Box::new(memcached::fetch()?)], Consistency::Newest, 150));
}

#[test]
fn kvd_in_thread() {
    run(|| churned(&[Box::new(Kvd::V2), Box::new(Kvd::V3)], Consistency::Thread, 250));
}

#[test]
fn redis_in_newest() {
    run(|| churned(&[Box::new(redis::fetch()?)], Consistency::Newest, 120));
}

/// Its main thread waits in epoll, its background threads on conditions, and its io threads on a mutex.
#[test]
fn redis_in_thread() {
    run(|| churned(&[Box::new(redis::fetch()?)], Consistency::Thread, 120));
}

#[test]
fn memcached_in_thread() {
    run(|| churned(&[Box::new(memcached::fetch()?)], Consistency::Thread, 150));
}
