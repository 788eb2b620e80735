//! `dsuctl`: finds updatable processes; applies, watches and reverts patches.
//!
//! Each command asks the process for a document ([`serde_json::Value`]); `--json` prints it, otherwise the command's
//! `show` puts it into words. So both say the same.

mod change;
mod cli;
mod client;
mod error;
mod exit;
mod patch;
mod ps;
mod status;
mod style;
mod target;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, Parser};
use serde_json::Value;

use crate::cli::{Cli, Command};
use crate::patch::Patch;
use crate::style::BAD;
use crate::target::Target;

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
        Command::Ps { output } => print(output.json, &ps::list()?, ps::show),
        Command::Status { pid, output } => print(output.json, &status::ask(&Target::find(pid)?)?, status::show),
        Command::Apply { pid, patch, output } => {
            let patch = Patch::read(&patch)?;
            print(output.json, &change::apply(&Target::find(pid)?, &patch)?, change::show)
        }
        Command::Revert { pid, output } => print(output.json, &change::revert(&Target::find(pid)?)?, change::show),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "dsuctl", &mut std::io::stdout());
            Ok(())
        }
        Command::Man { directory } => manual(&directory),
    }
}

fn print(json: bool, document: &Value, show: fn(&Value) -> String) -> anyhow::Result<()> {
    use std::io::Write;
    let text = if json { format!("{document:#}\n") } else { show(document) };
    let mut out = anstream::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // `dsuctl ps | head -1` is no error.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("failed to write to stdout"),
        _ => Ok(()),
    }
}

fn manual(directory: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("failed to make directory `{}`", directory.display()))?;
    clap_mangen::generate_to(Cli::command(), directory)
        .with_context(|| format!("failed to write manual pages to `{}`", directory.display()))
}
