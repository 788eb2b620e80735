//! Thousands of updates of a server under load: what fails, what hangs, what stays behind.
use std::time::{Duration, Instant};

use anyhow::Result;
use testsuite::churn::{Outcome, SETTLED, UnderLoad, churn_under_load};
use testsuite::programs::Consistency;
use testsuite::real::kvd::Kvd;
use testsuite::real::load::Report;
use testsuite::real::memcached;
use testsuite::real::redis;
use testsuite::real::subject::Subject;

use crate::progress;
use crate::section::Section;

/// A server that can be updated again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Server {
    /// `examples/kvd`, by its two fixes.
    Kvd,
    /// memcached and its proxy, by the fix of a CVE.
    Memcached,
    /// redis with io threads, by the fix of a CVE.
    Redis,
}

/// How long and how hard.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Plan {
    /// Updates per server and consistency.
    #[arg(long, default_value_t = 2_000)]
    updates: u32,
    /// Only this server.
    #[arg(long)]
    server: Option<Server>,
    /// Only this consistency.
    #[arg(long)]
    consistency: Option<Consistency>,
    /// Milliseconds of the longest pause between two updates.
    #[arg(long, default_value_t = 50)]
    pause: u64,
    /// Requests per second, over 8 connections.
    #[arg(long, default_value_t = 4_000)]
    rate: u64,
    /// Of the random numbers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

const SERVERS: [Server; 3] = [Server::Kvd, Server::Memcached, Server::Redis];

pub(crate) fn measure(plan: Plan) -> Result<Section> {
    let mut rows = Vec::new();
    for server in SERVERS.into_iter().filter(|server| plan.server.is_none_or(|only| only == *server)) {
        let all = Consistency::ALL.into_iter();
        for consistency in all.filter(|consistency| plan.consistency.is_none_or(|only| only == *consistency)) {
            let (outcome, report) = run(plan, server, consistency)?;
            rows.push(row(server, consistency, &outcome, &report));
        }
    }
    Ok(Section {
        title: "Churn",
        command: format!("dsu-bench churn --updates {} --pause {} --rate {}", plan.updates, plan.pause, plan.rate),
        note: format!(
            "Patches applied, replaced and reverted in random order, with random pauses, under load. Memory: resident bytes \
             after the last update / after update {SETTLED}. A request that fails or an update that does not come to its \
             end stops the run."
        ),
        header: [
            "server",
            "consistency",
            "updates",
            "requests",
            "failed",
            "resident, KiB",
            "ratio",
            "patch mappings",
            "dsuctl, median ms",
            "longest ms",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows,
    })
}

fn subjects(server: Server) -> Result<Vec<Box<dyn Subject>>> {
    Ok(match server {
        Server::Kvd => vec![Box::new(Kvd::V2), Box::new(Kvd::V3)],
        Server::Memcached => vec![Box::new(memcached::fetch()?)],
        Server::Redis => vec![Box::new(redis::fetch()?)],
    })
}

fn run(plan: Plan, server: Server, consistency: Consistency) -> Result<(Outcome, Report)> {
    let longest_pause = Duration::from_millis(plan.pause);
    let (updates, rate, seed) = (plan.updates, plan.rate, plan.seed);
    let under_load = UnderLoad { consistency, updates, longest_pause, rate, seed, identity: false };
    let mut told = Instant::now();
    let name = format!("{server:?} in {}", consistency.name());
    churn_under_load(&subjects(server)?, under_load, &mut |updates, requests| {
        if told.elapsed() > Duration::from_secs(10) {
            progress(&format!("{name}: {updates} of {} updates, {requests} requests", plan.updates));
            told = Instant::now();
        }
    })
}

fn row(server: Server, consistency: Consistency, outcome: &Outcome, report: &Report) -> Vec<String> {
    let milliseconds = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1000.0);
    vec![
        format!("{server:?}").to_lowercase(),
        consistency.name().to_owned(),
        (outcome.applied + outcome.reverted).to_string(),
        report.sent.to_string(),
        report.failed.to_string(),
        outcome.last_kib.to_string(),
        format!("{:.4}", outcome.growth()),
        outcome.mappings.to_string(),
        milliseconds(outcome.time(0.5)),
        milliseconds(outcome.time(1.0)),
    ]
}
