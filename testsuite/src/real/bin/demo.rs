//! `dsu-demo`: the whole way on a real server, told step by step and summed up in a short table.
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use comfy_table::{ContentArrangement, Table, presets};
use testsuite::real::compiler::Flavor;
use testsuite::real::journey::{Journey, Plan, Progress, travel};
use testsuite::real::kvd::Kvd;
use testsuite::real::memcached;
use testsuite::real::skip::Skipped;
use testsuite::real::subject::Subject;

/// Updated, proved, reverted, and no request failed.
const EXIT_GOOD: u8 = 0;
/// Some step failed.
const EXIT_ERROR: u8 = 1;
/// Every step worked, and yet requests failed.
const EXIT_FAILED_REQUESTS: u8 = 3;

#[derive(Parser)]
#[command(
    name = "dsu-demo",
    about = "Builds a server, updates it under load, proves it, takes it back, proves that, and sums it up",
    after_help = "Examples:\n  dsu-demo                      memcached from Debian's source; kvd when it cannot be fetched\n  \
                  dsu-demo --kvd                the example server, without network\n  \
                  dsu-demo --dispatch always    stubs armed at build time\n  dsu-demo --json >demo.json\n\n\
                  Exit codes: 0 good, 1 a step failed, 2 usage, 3 requests failed."
)]
struct Arguments {
    /// Takes examples/kvd instead of memcached; needs no network.
    #[arg(long)]
    kvd: bool,
    /// Prints the result as JSON.
    #[arg(long)]
    json: bool,
    /// How calls reach their newest version.
    #[arg(long, value_enum, default_value = "armed")]
    dispatch: Dispatch,
    /// Connections of the load.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    connections: u16,
    /// Requests per second over all connections; 0 sends as fast as replies come.
    #[arg(long, default_value_t = 10_000)]
    rate: u64,
    /// Seconds of load before apply, between apply and revert, and after.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=15))]
    seconds: u64,
    /// Keeps builds, logs and the patch in this folder, which must be empty.
    #[arg(long)]
    keep: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Dispatch {
    Armed,
    Always,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match demonstrate(&arguments) {
        Ok(journey) => {
            if arguments.json {
                println!("{}", serde_json::to_string_pretty(&journey).expect("a journey has string keys only"));
            } else {
                println!("\n{}", table(&journey));
            }
            ExitCode::from(if journey.load.failed == 0 { EXIT_GOOD } else { EXIT_FAILED_REQUESTS })
        }
        Err(error) => {
            eprintln!("\ndsu-demo: {error:#}");
            ExitCode::from(EXIT_ERROR)
        }
    }
}

fn demonstrate(arguments: &Arguments) -> Result<Journey> {
    let subject = subject(arguments.kvd)?;
    let scratch;
    let folder = match &arguments.keep {
        Some(folder) => {
            std::fs::create_dir_all(folder)?;
            anyhow::ensure!(std::fs::read_dir(folder)?.next().is_none(), "`{}` is not empty", folder.display());
            // Programs are started in folders of their own, so a relative path would not lead back here.
            folder.canonicalize()?
        }
        None => {
            scratch = tempfile::Builder::new().prefix("dsu-demo-").tempdir()?;
            scratch.path().to_owned()
        }
    };
    let plan = Plan {
        flavor: match arguments.dispatch {
            Dispatch::Armed => Flavor::Armed,
            Dispatch::Always => Flavor::Always,
        },
        folder: &folder,
        cached: false,
        connections: usize::from(arguments.connections),
        rate: arguments.rate,
        calm: Duration::from_secs(arguments.seconds),
    };
    eprintln!("{}: {} is applied to the running process and taken back", subject.name(), subject.fix());
    travel(subject.as_ref(), plan, &mut tell)
}

fn subject(kvd: bool) -> Result<Box<dyn Subject>> {
    if kvd {
        return Ok(Box::new(Kvd::V2));
    }
    eprintln!("fetching memcached's source ...");
    match memcached::fetch() {
        Ok(memcached) => Ok(Box::new(memcached)),
        Err(error) if error.is::<Skipped>() => {
            eprintln!("{error:#}\nso the same is done with examples/kvd");
            Ok(Box::new(Kvd::V2))
        }
        Err(error) => Err(error),
    }
}

/// A line per step: at once when it begins, its time when it ends.
fn tell(progress: Progress<'_>) {
    let mut out = std::io::stderr().lock();
    let told = match progress {
        Progress::Begin(name) => write!(out, "  {name:<32}"),
        Progress::End(time) if out.is_terminal() => writeln!(out, "\x1b[32m{:>9.3} s\x1b[0m", time.as_secs_f64()),
        Progress::End(time) => writeln!(out, "{:>9.3} s", time.as_secs_f64()),
    };
    // Whoever closed standard error does not want to be told.
    told.and_then(|()| out.flush()).ok();
}

fn table(journey: &Journey) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_width(110).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header([format!("{}, {}", journey.program, journey.fix), format!("dispatch {}", journey.dispatch)]);
    let mut row = |name: &str, value: String| {
        table.add_row([name.to_owned(), value]);
    };
    row("before", journey.answers[0].clone());
    row("applied", journey.answers[1].clone());
    row("reverted", journey.answers[2].clone());
    let load = &journey.load;
    row("requests sent", format!("{} ({:.0} per second)", load.sent, load.rate));
    row("requests failed", load.failed.to_string());
    for mark in &load.marks {
        let before: Vec<String> = mark.before_us.iter().map(|gap| milliseconds(*gap)).collect();
        row(
            &format!("longest gap around {}", mark.name),
            format!("{} ms; in the seconds before: {} ms", milliseconds(mark.around_us), before.join(" ")),
        );
    }
    row("size of the patch", format!("{} bytes", journey.patch_bytes));
    row("functions changed", format!("{}: {}", journey.functions.len(), journey.functions.join(" ")));
    let inside = |name: &str| journey.apply_timings_us[name].as_f64().unwrap_or_default();
    row(
        "apply, in the process",
        format!("map {:.0} us, prepare {:.0} us, commit {:.0} us", inside("map"), inside("prepare"), inside("commit")),
    );
    for step in &journey.steps {
        row(&step.name, format!("{:.3} s", step.seconds));
    }
    table
}

fn milliseconds(micros: u64) -> String {
    format!("{:.1}", micros as f64 / 1000.0)
}
