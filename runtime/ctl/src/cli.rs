//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  dsuctl ps                              which processes can be updated?
  dsuctl status 4711                     builds, functions and patches of one
  dsuctl apply 4711 fix.dsu              returns when every new call runs the fix
  dsuctl revert 4711                     back to the code the program was built with
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
#[derive(Debug, Args)]
pub(crate) struct Output {
    /// Print one JSON document instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the processes that can be updated
    #[command(after_help = "Example:\n  dsuctl ps --json | jq '.[].pid'")]
    Ps {
        #[command(flatten)]
        output: Output,
    },
    /// Show builds, functions and patches of a process
    #[command(after_help = "Example:\n  dsuctl status $(pidof memcached)")]
    Status {
        /// Process number
        pid: u32,
        #[command(flatten)]
        output: Output,
    },
    /// Apply a patch to a running process, in place of the one before
    #[command(after_help = "Example:\n  dsuctl apply $(pidof memcached) CVE-2023-46852.dsu")]
    Apply {
        /// Process number
        pid: u32,
        /// Patch made by `patchgen build`
        patch: PathBuf,
        #[command(flatten)]
        output: Output,
    },
    /// Take the patch back: the process runs the code it was built with
    #[command(after_help = "Example:\n  dsuctl revert $(pidof memcached)")]
    Revert {
        /// Process number
        pid: u32,
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

fn after_long_help() -> String {
    let codes = crate::exit::TABLE.map(|(number, sentence)| format!("  {number:>3}  {sentence}\n"));
    format!("{EXAMPLES}\n\nExit codes:\n{}", codes.concat())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
