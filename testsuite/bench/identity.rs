//! The servers' own test suites while every function of the servers is replaced by a copy of itself, again and again.
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use testsuite::identity::Identity;
use testsuite::programs::Consistency;
use testsuite::real::compiler::Flavor;
use testsuite::real::subject::{Subject, Version};
use testsuite::real::suite::{self, Meanwhile, Outcome};
use testsuite::real::{memcached, redis, redis_suite};

use crate::progress;
use crate::section::Section;

/// A server with tests of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Server {
    Memcached,
    Redis,
}

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Plan {
    /// Test files at a time.
    #[arg(long, default_value_t = 4)]
    jobs: usize,
    /// Only this consistency.
    #[arg(long)]
    consistency: Option<Consistency>,
    /// Whose tests.
    #[arg(long, value_delimiter = ',', default_values = ["memcached", "redis"])]
    server: Vec<Server>,
    /// Only these test files.
    #[arg(long, value_delimiter = ',')]
    file: Vec<String>,
}

/// A server's tests, and the programs that run in them.
struct Suite {
    server: Server,
    tree: PathBuf,
    programs: Vec<PathBuf>,
    files: Vec<String>,
}

impl Suite {
    fn of(server: Server, only: &[String]) -> Result<Self> {
        let debian = if server == Server::Redis { redis::fetch() } else { memcached::fetch() }?;
        let executable = debian.cached_build(Version::Old, Flavor::Armed)?;
        let above = if server == Server::Redis { 2 } else { 1 };
        let tree = executable.ancestors().nth(above).context("the executable is in its tree")?.to_owned();
        let (programs, mut files) = match server {
            Server::Redis => (vec![executable], redis_suite::files(&tree)?),
            Server::Memcached => {
                (["memcached", "memcached-debug"].map(|name| tree.join(name)).into(), suite::files(&tree)?)
            }
        };
        files.retain(|file| only.is_empty() || only.contains(file));
        Ok(Self { server, tree, programs, files })
    }

    fn run(&self, jobs: usize, meanwhile: Option<Meanwhile<'_>>) -> Result<BTreeMap<String, Outcome>> {
        match self.server {
            Server::Memcached => suite::run_meanwhile(&self.tree, &self.files, jobs, meanwhile),
            Server::Redis => redis_suite::run_meanwhile(&self.tree, Flavor::Armed, &self.files, jobs, meanwhile),
        }
    }
}

pub(crate) fn measure(plan: &Plan) -> Result<Section> {
    let (mut rows, mut notes) = (Vec::new(), Vec::new());
    for &server in &plan.server {
        let suite = Suite::of(server, &plan.file)?;
        progress(&format!("{server:?}'s own tests, undisturbed"));
        let calm = suite.run(plan.jobs, None)?;
        for consistency in Consistency::ALL.into_iter().filter(|one| plan.consistency.is_none_or(|only| only == *one)) {
            progress(&format!("{server:?}'s own tests, every function replaced in {}", consistency.name()));
            let identity = Identity::new(&suite.programs, consistency)?;
            let begin = Instant::now();
            let outcomes = suite.run(plan.jobs, Some(&|sockets| identity.update(sockets)))?;
            let [applied, reverted, gone] = identity.counts(plan.least_updates())?;
            let differences = suite::differences(&calm, &outcomes);
            let passed = outcomes.values().filter(|outcome| outcome.passed).count();
            let counts = [passed, outcomes.len(), differences.len()].map(|count| count.to_string());
            let updates = [applied, reverted, gone].map(|count| count.to_string());
            let names = [format!("{server:?}").to_lowercase(), consistency.name().to_owned()];
            let seconds = format!("{:.0}", begin.elapsed().as_secs_f64());
            rows.push(names.into_iter().chain(counts).chain(updates).chain([seconds]).collect());
            notes.extend(differences.iter().map(|difference| format!("{}: {difference}", consistency.name())));
        }
    }
    ensure!(!rows.is_empty(), "nothing was run");
    let mut header = vec!["suite", "consistency", "files passed", "of", "files that differ"];
    header.extend(["applied", "reverted", "process gone", "seconds"]);
    Ok(Section {
        title: "Identity churn",
        command: format!("dsu-bench identity-churn --jobs {}", plan.jobs),
        note: if notes.is_empty() {
            "The same test files pass with and without.".to_owned()
        } else {
            notes.join("\n\n")
        },
        header: header.into_iter().map(str::to_owned).collect(),
        rows,
    })
}

impl Plan {
    /// Updates without which a run says nothing.
    fn least_updates(&self) -> u64 {
        if self.file.is_empty() { 50 } else { 1 }
    }
}
