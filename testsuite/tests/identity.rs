//! Servers under load whose every function is replaced by a copy of itself, again and again. `dsu-bench identity-churn`
//! runs memcached's own tests meanwhile.
use std::time::Duration;

use anyhow::{Result, ensure};
use testsuite::churn::{UnderLoad, churn_under_load};
use testsuite::programs::Consistency;
use testsuite::real::kvd::Kvd;
use testsuite::real::memcached;
use testsuite::real::skip::run;
use testsuite::real::subject::Subject;

fn churned(subject: Box<dyn Subject>, consistency: Consistency) -> Result<()> {
    let longest_pause = Duration::from_millis(50);
    let plan = UnderLoad { consistency, updates: 40, longest_pause, rate: 4_000, seed: 5, identity: true };
    let (outcome, report) = churn_under_load(&[subject], plan, &mut |_, _| {})?;
    println!("{} requests, {} applied, {} reverted", report.sent, outcome.applied, outcome.reverted);
    ensure!(report.sent > 1_000 && outcome.applied > 10, "hardly anything happened: {report:?} {outcome:?}");
    Ok(())
}

#[test]
fn kvd_in_newest() {
    run(|| churned(Box::new(Kvd::V2), Consistency::Newest));
}

#[test]
fn kvd_in_thread() {
    run(|| churned(Box::new(Kvd::V2), Consistency::Thread));
}

#[test]
fn memcached_in_newest() {
    run(|| churned(Box::new(memcached::fetch()?), Consistency::Newest));
}

#[test]
fn memcached_in_thread() {
    run(|| churned(Box::new(memcached::fetch()?), Consistency::Thread));
}
