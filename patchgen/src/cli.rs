//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::consistency::Model;

/// Turns two builds of a C program into one patch for the running process, or says why it must not.
#[derive(Debug, Parser)]
#[command(
    name = "patchgen",
    version,
    about,
    after_help = "\
Examples:
  patchgen base /usr/bin/memcached -o memcached.dsubase    keep what a later patch needs
  patchgen diff old/memcached new/memcached                what would change, and may it?
  patchgen build memcached.dsubase new/memcached -o fix.dsu --name CVE-2023-46852
  patchgen build --all-functions memcached -o same.dsu     every function by a copy of itself: a rehearsal
  patchgen inspect fix.dsu --dot | dot -Tsvg > fix.svg

Exit codes: 0 patch written, or differences shown; 1 failed; 2 usage; 3 no change; 4 refused."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lifts a base out of an instrumented build, so that patches can be made without the program.
    #[command(after_help = "Example:\n  patchgen base build/kvd -o kvd.dsubase --strip")]
    Base {
        /// Executable or library built with dsu-cc.
        app: PathBuf,
        /// Where to write it [default: APP.dsubase].
        #[arg(short, long)]
        output: Option<PathBuf>,
        /// Then take the record out of APP, which becomes as small as a plain build.
        #[arg(long)]
        strip: bool,
    },
    /// Shows what differs between two builds, and whether it can be applied.
    #[command(after_help = "Example:\n  patchgen diff kvd.dsubase new/kvd --ir")]
    Diff {
        /// Running build: executable, library or .dsubase.
        old: PathBuf,
        /// Build to become.
        new: PathBuf,
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
        /// Also the difference of each changed function, in LLVM IR.
        #[arg(long)]
        ir: bool,
    },
    /// Makes a patch object.
    #[command(after_help = "Example:\n  patchgen build kvd.dsubase new/kvd -o fix.dsu --name CVE-2024-1")]
    Build {
        /// Running build: executable, library or .dsubase.
        old: PathBuf,
        /// Build to become.
        #[arg(required_unless_present = "all_functions")]
        new: Option<PathBuf>,
        /// Replace every function of OLD by a recompiled copy of itself.
        #[arg(long, conflicts_with = "new")]
        all_functions: bool,
        /// Where to write the patch.
        #[arg(short, long)]
        output: PathBuf,
        /// Name shown to operators [default: name of the output file].
        #[arg(long)]
        name: Option<String>,
        /// When threads start to run new versions [default: what the changed functions need].
        #[arg(long, value_enum, value_name = "MODEL")]
        consistency: Option<Model>,
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
        /// Keep IR, objects and the linked file in this directory.
        #[arg(long, value_name = "DIR")]
        keep: Option<PathBuf>,
    },
    /// Shows what is inside a patch object.
    #[command(after_help = "Example:\n  patchgen inspect fix.dsu --json")]
    Inspect {
        /// Patch object.
        patch: PathBuf,
        /// One JSON object instead of text.
        #[arg(long, conflicts_with = "dot")]
        json: bool,
        /// The call graph in Graphviz' language.
        #[arg(long)]
        dot: bool,
    },
    /// Writes shell completions to standard output.
    Completions {
        /// Shell.
        shell: clap_complete::Shell,
    },
    /// Writes man pages into a directory.
    #[command(hide = true)]
    Man {
        /// Directory.
        directory: PathBuf,
    },
}
