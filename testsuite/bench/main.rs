//! `dsu-bench`: what instrumentation and updating cost, as ratios between builds of the same sources in one run.
//!
//! | module | what |
//! |---|---|
//! | [`instructions`] | instructions retired by a CPU-bound program, from callgrind: exact, and the same on every machine |
//! | [`throughput`] | requests per second of memcached, in rounds of one run per build |
//! | [`corpus`] | consecutive releases: what patchgen makes of each step, and whether it is right |
//! | [`csmith`] | random programs, updated while they run |
//! | [`diff`] | time of `patchgen diff` on SQLite |
//! | [`mutants`] | real programs with one token changed: patchgen against an oracle |
//! | [`patch`] | time and memory of `patchgen build`, for one huge unit and for many units |
//! | [`update`] | apply and revert on a loaded memcached |
//! | [`churn`] | thousands of updates of servers under load |
//! | [`identity`] | servers' own tests while every function is replaced by itself |
//! | [`ownsuite`] | memcached's own tests on each build |
//! | [`section`] | tables, and the document they end up in |
mod churn;
mod corpus;
mod csmith;
mod diff;
mod identity;
mod instructions;
mod mutants;
mod ownsuite;
mod patch;
mod section;
mod throughput;
mod update;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Measured.
const EXIT_GOOD: u8 = 0;
/// Something could not be built, started or measured.
const EXIT_ERROR: u8 = 1;

#[derive(Parser)]
#[command(
    name = "dsu-bench",
    about = "Measures what instrumentation and updating cost, as ratios in one run",
    after_help = "Examples:\n  dsu-bench instructions\n  dsu-bench throughput --rounds 9\n  dsu-bench memcached-suite --jobs 4\n  \
                  dsu-bench all --write testsuite/bench/RESULTS.md\n\nExit codes: 0 measured, 1 failed, 2 usage."
)]
struct Arguments {
    #[command(subcommand)]
    what: What,
    /// Prints JSON instead of tables.
    #[arg(long, global = true)]
    json: bool,
    /// Writes the tables into this file, too, with the machine and the command above them.
    #[arg(long, global = true)]
    write: Option<PathBuf>,
}

#[derive(Clone, Subcommand)]
enum What {
    /// Instructions retired by SQLite, plain and instrumented.
    Instructions {
        /// Rows of the workload.
        #[arg(long, default_value_t = 20_000)]
        rows: u32,
    },
    /// Requests per second of memcached, plain and instrumented, in paired runs.
    Throughput {
        /// Rounds; each runs every build once.
        #[arg(long, default_value_t = 7)]
        rounds: u32,
        /// Seconds per run.
        #[arg(long, default_value_t = 3)]
        seconds: u64,
    },
    /// `patchgen diff` on two builds of SQLite.
    Diff {
        /// How often.
        #[arg(long, default_value_t = 3)]
        rounds: u32,
    },
    /// `patchgen build` of SQLite, and of programs of 10 to 1,000 units.
    Patch {
        /// How often.
        #[arg(long, default_value_t = 3)]
        rounds: u32,
    },
    /// Apply and revert on a loaded memcached.
    Update {
        /// Rounds per dispatch.
        #[arg(long, default_value_t = 3)]
        rounds: u32,
    },
    /// memcached's own tests on each build.
    MemcachedSuite {
        /// Test files at a time; most of them wait.
        #[arg(long, default_value_t = 4)]
        jobs: usize,
    },
    /// Consecutive releases: what patchgen makes of each step, and whether a patched process is right.
    Corpus {
        /// Only these sources.
        #[arg(long)]
        source: Vec<String>,
        /// At most so many steps of each, the latest.
        #[arg(long, default_value_t = usize::MAX)]
        pairs: usize,
        /// Writes every step as JSON into this file, too.
        #[arg(long)]
        steps: Option<PathBuf>,
        /// Takes no step, but puts together what earlier runs have written with --steps.
        #[arg(long, num_args = 1.., conflicts_with_all = ["source", "pairs", "steps"])]
        from: Vec<PathBuf>,
    },
    /// Random programs and their mutants: an updated process must print what a fresh one prints.
    Csmith {
        /// Programs; each gives a base and two mutants.
        #[arg(long, default_value_t = 2_000)]
        programs: u64,
        /// Seed of the first one; the next has the next number.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Programs at a time.
        #[arg(long, default_value_t = 2)]
        jobs: usize,
    },
    /// Thousands of updates of servers under load.
    Churn(churn::Plan),
    /// Real programs with one token changed: what patchgen finds, against an oracle that shares no code with it.
    Mutants(mutants::Plan),
    /// Servers' own tests while every function is replaced by a copy of itself.
    IdentityChurn(identity::Plan),
    /// All of these but corpus, random programs, mutants and churn.
    All,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match measure(&arguments) {
        Ok(()) => ExitCode::from(EXIT_GOOD),
        Err(error) => {
            eprintln!("dsu-bench: {error:#}");
            ExitCode::from(EXIT_ERROR)
        }
    }
}

fn measure(arguments: &Arguments) -> Result<()> {
    let sections = match &arguments.what {
        What::Instructions { rows } => vec![instructions::measure(*rows)?],
        What::Throughput { rounds, seconds } => vec![throughput::measure(*rounds, *seconds)?],
        What::Diff { rounds } => vec![diff::measure(*rounds)?],
        What::Patch { rounds } => vec![patch::measure(*rounds)?],
        What::Update { rounds } => vec![update::measure(*rounds)?],
        What::MemcachedSuite { jobs } => vec![ownsuite::measure(*jobs)?],
        What::Corpus { from, .. } if !from.is_empty() => corpus::put_together(from)?,
        What::Corpus { source, pairs, steps, .. } => corpus::measure(source, *pairs, steps.as_deref())?,
        What::Csmith { programs, seed, jobs } => vec![csmith::measure(*programs, *seed, *jobs)?],
        What::Churn(plan) => vec![churn::measure(*plan)?],
        What::Mutants(plan) => vec![mutants::measure(plan)?],
        What::IdentityChurn(plan) => vec![identity::measure(plan)?],
        What::All => vec![
            instructions::measure(20_000)?,
            throughput::measure(7, 3)?,
            diff::measure(3)?,
            patch::measure(3)?,
            update::measure(3)?,
            ownsuite::measure(4)?,
        ],
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&sections).expect("sections have string keys only"));
    } else {
        sections.iter().for_each(|section| println!("{}", section.markdown()));
    }
    if let Some(path) = &arguments.write {
        std::fs::write(path, section::document(&sections))?;
    }
    Ok(())
}

/// Says what goes on, for everything here takes its time.
fn progress(what: &str) {
    eprintln!("dsu-bench: {what}");
}
