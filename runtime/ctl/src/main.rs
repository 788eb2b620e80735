//! `dsuctl`: finds updatable processes; applies, watches and reverts patches.
//!
//! Each command asks the process for a document ([`serde_json::Value`]); `--json` prints it, otherwise the command's
//! `show` puts it into words. So both say the same.

mod change;
mod cli;
mod client;
mod error;
mod exit;
mod follow;
mod foreign;
mod group;
mod patch;
mod progress;
mod ps;
mod status;
mod style;
mod target;
mod threads;
mod tree;
mod watch;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, Parser};
use serde_json::Value;

use crate::cli::{Cli, Command};
use crate::group::Manner;
use crate::patch::Patch;
use crate::style::BAD;

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::from(exit::DONE),
        Err(error) => {
            anstream::eprintln!("{BAD}dsuctl:{BAD:#} {error:#}");
            let known = error.downcast_ref::<error::Error>();
            ExitCode::from(known.map_or(exit::FAILED, error::Error::exit_code))
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Ps { tree, output } => print(output.json, &ps::list(tree)?, ps::show),
        Command::Status { scope, threads, watch: true, output } => watch::run(scope, threads, output.json),
        Command::Status { scope, threads, watch: false, output } => {
            print(output.json, &watch::ask(scope)?, |document| watch::show(document, threads))
        }
        Command::Apply { scope, patch, consistency, patience, queue, output } => {
            let patch = Patch::read(&patch)?;
            changed(output.json, group::apply(scope, &patch, Manner { consistency, patience, queue }))
        }
        Command::Revert { scope, all, patience, output } => changed(output.json, group::revert(scope, all, patience)),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "dsuctl", &mut std::io::stdout());
            Ok(())
        }
        Command::Man { directory } => manual(&directory),
    }
}

/// Prints what an apply or revert did; programs are told of one that was cancelled, too.
fn changed(json: bool, result: Result<Value, error::Error>) -> anyhow::Result<()> {
    if let (true, Some(document)) = (json, result.as_ref().err().and_then(error::Error::document)) {
        print(true, document, group::show)?;
    }
    print(json, &result?, group::show)
}

fn print(json: bool, document: &Value, show: impl Fn(&Value) -> String) -> anyhow::Result<()> {
    style::write(&if json { format!("{document:#}\n") } else { show(document) })
}

fn manual(directory: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("failed to make directory `{}`", directory.display()))?;
    clap_mangen::generate_to(Cli::command(), directory)
        .with_context(|| format!("failed to write manual pages to `{}`", directory.display()))
}
