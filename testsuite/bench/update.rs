//! What an update costs those who are being served.
use std::time::Duration;

use anyhow::Result;
use testsuite::real::compiler::Flavor;
use testsuite::real::journey::{Journey, Plan, travel};
use testsuite::real::memcached;
use testsuite::real::subject::Subject;

use crate::progress;
use crate::section::{Section, median};

pub(crate) fn measure(rounds: u32) -> Result<Section> {
    let memcached = memcached::fetch()?;
    let mut rows = Vec::new();
    for flavor in Flavor::INSTRUMENTED {
        let mut journeys = Vec::new();
        for round in 0..rounds {
            progress(&format!("updating memcached, {}, round {} of {rounds}", flavor.name(), round + 1));
            journeys.push(journey(&memcached, flavor)?);
        }
        rows.push(row(flavor, &journeys));
    }
    Ok(Section {
        title: "Apply on a loaded memcached",
        command: format!("dsu-bench update --rounds {rounds}"),
        note: "CVE-2023-46852 through the proxy, 8 connections at 10,000 requests/s, medians over the rounds. Gap: the longest \
               time between two replies of one connection, in the second around apply and in the worst of the 3 or 4 whole \
               seconds before it."
            .to_owned(),
        header: ["build", "requests", "failed", "gap around apply, ms", "gap before, ms", "ratio", "apply in the process, us"]
            .map(str::to_owned)
            .to_vec(),
        rows,
    })
}

fn journey(memcached: &dyn Subject, flavor: Flavor) -> Result<Journey> {
    let folder = tempfile::tempdir()?;
    let calm = Duration::from_secs(4);
    let plan = Plan { flavor, folder: folder.path(), cached: true, connections: 8, rate: 10_000, calm };
    travel(memcached, plan, &mut |_| {})
}

fn row(flavor: Flavor, journeys: &[Journey]) -> Vec<String> {
    let over = |value: &dyn Fn(&Journey) -> f64| median(&journeys.iter().map(value).collect::<Vec<_>>());
    let mark = |journey: &Journey| journey.load.mark("apply").cloned().expect("every journey marks it");
    let around = over(&|journey| mark(journey).around_us as f64 / 1000.0);
    let before = over(&|journey| mark(journey).longest_before_us() as f64 / 1000.0);
    let inside = over(&|journey| {
        journey.apply_timings_us.as_object().map_or(0.0, |all| all.values().filter_map(|t| t.as_f64()).sum())
    });
    vec![
        flavor.name().to_owned(),
        journeys.iter().map(|journey| journey.load.sent).sum::<u64>().to_string(),
        journeys.iter().map(|journey| journey.load.failed).sum::<u64>().to_string(),
        format!("{around:.1}"),
        format!("{before:.1}"),
        format!("{:.2}", around / before),
        format!("{inside:.0}"),
    ]
}
