//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  dsuctl ps                              which processes can be updated?
  dsuctl status 4711                     builds, functions and patches of one
  dsuctl apply 4711 fix.dsu              returns when the last thread runs the fix
  dsuctl apply 4711 fix.dsu --timeout 5s and cancels it if one does not move
  dsuctl status 4711 --watch             how far is it, and who is it waiting for?
  dsuctl revert 4711                     back to the patch before, or to the build
  dsuctl apply --tree 4711 fix.dsu       a prefork server: the process and its children
  dsuctl status 4711 --json | jq .generation
  dsuctl completions bash > /etc/bash_completion.d/dsuctl
  dsuctl man DIRECTORY                   writes the manual pages";

/// Finds updatable processes; applies, watches and reverts patches.
#[derive(Debug, Parser)]
#[command(name = "dsuctl", version, after_help = EXAMPLES, after_long_help = after_long_help())]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Answers for programs.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Output {
    /// Print one JSON document instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which processes.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Scope {
    /// Process number
    pub(crate) pid: u32,
    /// The process and all its descendants that can be updated, as a group
    #[arg(long)]
    pub(crate) tree: bool,
}

/// How long to stay.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Patience {
    /// Cancel it by itself if a thread has not moved after this time (`500ms`, `5s`, `2min`)
    #[arg(long, value_name = "DURATION", value_parser = timeout)]
    pub(crate) timeout: Option<Duration>,
    /// Return at the commit, while threads are still moving
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// When threads begin to run new code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Consistency {
    /// Every call after the commit runs the newest version
    Newest,
    /// Each thread moves by itself at a quiescence point, to all changes at once
    Thread,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the processes that can be updated
    #[command(after_help = "Example:\n  dsuctl ps --json | jq '.[].pid'")]
    Ps {
        /// Show children below their parents
        #[arg(long)]
        tree: bool,
        #[command(flatten)]
        output: Output,
    },
    /// Show builds, functions, patches and the running update of a process
    #[command(after_help = "Examples:\n  dsuctl status $(pidof memcached)\n  dsuctl status 4711 --threads --watch")]
    Status {
        #[command(flatten)]
        scope: Scope,
        /// Show every thread, and why it has not moved
        #[arg(long)]
        threads: bool,
        /// Show it again until no update is moving threads; with --json, a document a line
        #[arg(long)]
        watch: bool,
        #[command(flatten)]
        output: Output,
    },
    /// Apply a patch to a running process, in place of the one before
    #[command(after_help = "Examples:\n  dsuctl apply $(pidof memcached) CVE-2023-46852.dsu\n  \
                            dsuctl apply 4711 fix.dsu --consistency thread --timeout 5s\n  \
                            dsuctl apply --tree $(cat /run/server.pid) fix.dsu")]
    Apply {
        #[command(flatten)]
        scope: Scope,
        /// Patch made by `patchgen build`
        patch: PathBuf,
        /// When threads begin to run new code; as the patch says, when absent
        #[arg(long, value_enum)]
        consistency: Option<Consistency>,
        #[command(flatten)]
        patience: Patience,
        /// While another update is moving threads, wait for its end rather than be refused
        #[arg(long)]
        queue: bool,
        #[command(flatten)]
        output: Output,
    },
    /// Take the patch back, or cancel an update that is still moving threads
    #[command(after_help = "Examples:\n  dsuctl revert $(pidof memcached)\n  dsuctl revert 4711 --all")]
    Revert {
        #[command(flatten)]
        scope: Scope,
        /// To the code the program was built with, rather than to the patch before
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        patience: Patience,
        #[command(flatten)]
        output: Output,
    },
    /// Print a completion script
    #[command(after_help = "Example:\n  dsuctl completions zsh > ~/.zfunc/_dsuctl")]
    Completions {
        /// Shell to complete in
        shell: clap_complete::Shell,
    },
    /// Write the manual pages
    #[command(after_help = "Example:\n  dsuctl man /usr/local/share/man/man1")]
    Man {
        /// Directory for `dsuctl.1` and a page for each command
        directory: PathBuf,
    },
}

/// A duration with its unit, which the runtime counts in milliseconds.
fn timeout(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| format!("{error}; write it as `5s` or `500ms`"))?;
    match u32::try_from(duration.as_millis()) {
        Ok(0) => Err("less than a millisecond: no thread could move".to_owned()),
        Ok(_) => Ok(duration),
        Err(_) => Err("longer than 49 days; leave it out to wait for ever".to_owned()),
    }
}

fn after_long_help() -> String {
    let codes = crate::exit::TABLE.map(|(number, sentence)| format!("  {number:>3}  {sentence}\n"));
    format!("{EXAMPLES}\n\nExit codes:\n{}", codes.concat())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }

    #[test]
    fn a_timeout_has_a_unit_and_a_sensible_size() {
        assert_eq!(super::timeout("1m 30s"), Ok(Duration::from_secs(90)));
        for (text, why) in [("5", "unit"), ("0s", "less than"), ("100days", "longer"), ("soon", "write it as")] {
            let error = super::timeout(text).expect_err("no timeout");
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
