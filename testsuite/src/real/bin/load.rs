//! `dsu-load`: puts load on a server, checks every reply, prints what it saw as JSON.
use std::io::BufRead;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Parser;
use testsuite::real::load::{Load, Options, Protocol, Report};

/// Every reply was right.
const EXIT_RIGHT: u8 = 0;
/// The load could not be put on.
const EXIT_ERROR: u8 = 1;
/// Some requests failed; the report says which.
const EXIT_FAILED_REQUESTS: u8 = 3;

#[derive(Parser)]
#[command(
    name = "dsu-load",
    about = "Puts load on a server, checks every reply and prints what it saw as JSON",
    after_help = "Each line read from standard input marks a moment; the report then tells the longest gap between two \
                  replies of one connection in the second around it and in the seconds before.\n\nExamples:\n  \
                  dsu-load --protocol memcached 127.0.0.1:11211\n  \
                  dsu-load --protocol kvd --connections 16 --seconds 30 --rate 20000 127.0.0.1:7711\n  \
                  (sleep 5; dsuctl apply $PID fix.dsu >&2; echo apply) | dsu-load --protocol kvd 127.0.0.1:7711\n\n\
                  Exit codes: 0 every reply was right, 1 no load could be put on, 2 usage, 3 some requests failed."
)]
struct Arguments {
    /// Where to: a loopback address and port.
    address: SocketAddr,
    /// How requests look.
    #[arg(long, value_enum, default_value = "memcached")]
    protocol: Protocol,
    /// Connections, each with one request at a time.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    connections: u16,
    /// Threads that serve the connections.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=16))]
    threads: u16,
    /// How long.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Requests per second over all connections; 0 sends as fast as replies come.
    #[arg(long, default_value_t = 0)]
    rate: u64,
    /// Bytes of each value.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=8000))]
    value_bytes: u16,
    /// Keys of each connection.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10000))]
    keys: u16,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match load(&arguments) {
        Ok(report) => {
            println!("{}", serde_json::to_string_pretty(&report).expect("a report has string keys only"));
            ExitCode::from(if report.failed == 0 { EXIT_RIGHT } else { EXIT_FAILED_REQUESTS })
        }
        Err(error) => {
            eprintln!("dsu-load: {error:#}");
            ExitCode::from(EXIT_ERROR)
        }
    }
}

fn load(arguments: &Arguments) -> Result<Report> {
    let limit = Duration::from_secs(arguments.seconds);
    let mut load = Load::start(Options {
        connections: usize::from(arguments.connections),
        threads: usize::from(arguments.threads),
        limit,
        rate: arguments.rate,
        value_bytes: usize::from(arguments.value_bytes),
        keys: usize::from(arguments.keys),
        ..Options::new(arguments.protocol, arguments.address)
    })?;
    let marks = marks_from_input();
    let until = Instant::now() + limit;
    while Instant::now() < until {
        match marks.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok((name, moment)) => load.mark(&name, moment),
            Err(mpsc::RecvTimeoutError::Timeout) => break,
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                std::thread::sleep(until.saturating_duration_since(Instant::now()))
            }
        }
    }
    load.wait()
}

/// Reads lines on a thread of its own, which the end of the process ends.
fn marks_from_input() -> mpsc::Receiver<(String, Instant)> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if send.send((line, Instant::now())).is_err() {
                return;
            }
        }
    });
    receive
}
