//! Throughput of a server: noisy, so each round runs every build once, and ratios are taken within a round.
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use testsuite::real::compiler::Flavor;
use testsuite::real::load::{Load, Options, Protocol, Report};
use testsuite::real::memcached::{self, start_plain};
use testsuite::real::server::free_port;
use testsuite::real::subject::{Subject, Version};

use crate::progress;
use crate::section::{Section, median, range};

pub(crate) fn measure(rounds: u32, seconds: u64) -> Result<Section> {
    let memcached = memcached::fetch()?;
    let mut builds = Vec::new();
    for flavor in Flavor::ALL {
        progress(&format!("building memcached, {}", flavor.name()));
        builds.push(memcached.cached_build(Version::Old, flavor)?);
    }
    let mut rates = vec![Vec::new(); builds.len()];
    let mut slowest = vec![Vec::new(); builds.len()];
    for round in 0..rounds {
        progress(&format!("throughput of memcached, round {} of {rounds}", round + 1));
        for turn in 0..builds.len() {
            // Each round begins with another build, so that none always comes first.
            let build = (turn + round as usize) % builds.len();
            let report = load(&builds[build], Duration::from_secs(seconds))?;
            rates[build].push(report.rate);
            slowest[build].push(report.latency_us.p999 as f64);
        }
    }
    let rows = Flavor::ALL.iter().zip(&rates).zip(&slowest).map(|((flavor, rates_here), slowest_here)| {
        let ratios: Vec<f64> = rates_here.iter().zip(&rates[0]).map(|(here, plain)| here / plain).collect();
        vec![
            flavor.name().to_owned(),
            format!("{:.0}", median(rates_here)),
            format!("{:.4}", median(&ratios)),
            range(&ratios, 3),
            format!("{:.3}", median(slowest_here) / median(&slowest[0])),
        ]
    });
    Ok(Section {
        title: "Throughput, memcached",
        command: format!("dsu-bench throughput --rounds {rounds} --seconds {seconds}"),
        note:
            "4 server threads, 8 connections from 2 client threads on the same machine, 1 set to 4 gets, no proxy; the \
               ratio is the median over the rounds of instrumented / plain within a round."
                .to_owned(),
        header: ["build", "requests/s", "ratio to plain", "range of ratios", "p99.9 latency, ratio"]
            .map(str::to_owned)
            .to_vec(),
        rows: rows.collect(),
    })
}

fn load(executable: &Path, limit: Duration) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let port = free_port()?;
    let _server = start_plain(executable, folder.path(), "memcached", port, &["-t", "4"])?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let report = Load::start(Options { limit, ..Options::new(Protocol::Memcached, address) })?.wait()?;
    ensure!(report.failed == 0, "requests failed: {:?}", report.failures);
    Ok(report)
}
