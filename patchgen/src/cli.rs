//! The command line.

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::check::overrides::Override;
use crate::patch::hooks::Source;
use crate::report::page::Format;

use crate::check::consistency::Model;
use crate::compare::diff::LineRule;

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
  patchgen git HEAD~3..HEAD --base memcached.dsubase --build make --program memcached -o fix.dsu
  patchgen build --all-functions memcached -o same.dsu     every function by a copy of itself: a rehearsal
  patchgen report memcached.dsubase new/memcached -o fix.html
  patchgen inspect fix.dsu --dot | dot -Tsvg > fix.svg

Exit codes: 0 patch written, or differences shown; 1 failed; 2 usage; 3 no change; 4 refused; \
    5 nothing of the change would ever run."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the release engineer adds to two builds.
#[derive(Debug, Clone, Args)]
pub struct Additions {
    /// C file with hooks (`dsu_pre_apply`, `dsu_post_apply`, `dsu_pre_revert`, `dsu_post_revert`) and transformers
    /// (`dsu_transform_VARIABLE`); see dsu.h.
    #[arg(long, value_name = "FILE.c")]
    pub hooks: Option<PathBuf>,
    /// Argument for its compilation, as `--hooks-flag=-Iinclude`; the flags of the base are there already.
    #[arg(long, value_name = "FLAG", requires = "hooks", allow_hyphen_values = true)]
    pub hooks_flag: Vec<String>,
    /// Type or variable whose refusal is overridden, or several with commas between them; each needs a `--because`.
    #[arg(long, value_name = "NAME")]
    pub accept: Vec<String>,
    /// Why the override of the `--accept` before it is safe; recorded in the patch.
    #[arg(long, value_name = "WHY")]
    pub because: Vec<String>,
    /// Function that is told the line of its call (`__LINE__`), beside the usual assertions and loggers: one that differs only in
    /// such numbers is not replaced.
    #[arg(long, value_name = "NAME")]
    pub line_callee: Vec<String>,
    /// A line number that differs is a change like any other.
    #[arg(long, conflicts_with = "line_callee")]
    pub strict_lines: bool,
}

impl Additions {
    /// The overrides.
    ///
    /// # Errors
    /// When one of them comes without its reason.
    pub fn accepted(&self) -> Result<Vec<Override>, clap::Error> {
        let empty =
            self.because.iter().any(|why| why.trim().is_empty()) || self.accept.iter().any(|a| names(a).is_empty());
        if self.accept.len() != self.because.len() || empty {
            let message = "each `--accept NAME` needs a `--because WHY`";
            return Err(Cli::command().error(clap::error::ErrorKind::WrongNumberOfValues, message));
        }
        let both = self.accept.iter().zip(&self.because);
        let override_of = |because: &str, name: &str| Override { name: name.to_owned(), because: because.to_owned() };
        Ok(both.flat_map(|(list, because)| names(list).into_iter().map(|name| override_of(because, name))).collect())
    }

    /// Which operands are taken for line numbers.
    pub fn lines(&self) -> LineRule {
        LineRule { strict: self.strict_lines, callees: self.line_callee.clone() }
    }

    /// The hooks file.
    pub fn source(&self) -> Option<Source> {
        self.hooks.clone().map(|file| Source { file, flags: self.hooks_flag.clone() })
    }
}

/// The names in a list; commas between brackets are part of a C++ name.
fn names(list: &str) -> Vec<&str> {
    let mut depth = 0i32;
    let between = |c: char| {
        depth += i32::from("<(".contains(c)) - i32::from(">)".contains(c));
        c == ',' && depth == 0
    };
    list.split(between).map(str::trim).filter(|name| !name.is_empty()).collect()
}

/// How a patch is made and shown.
#[derive(Debug, Clone, Args)]
pub struct Making {
    /// Where to write the patch.
    #[arg(short, long)]
    pub output: PathBuf,
    /// Name shown to operators [default: name of the output file].
    #[arg(long)]
    pub name: Option<String>,
    /// When threads start to run new versions [default: what the changed functions need].
    #[arg(long, value_enum, value_name = "MODEL")]
    pub consistency: Option<Model>,
    /// Also write the report for people: .html, .json, or text.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Two builds out of a git repository.
#[derive(Debug, Clone, Args)]
pub struct FromGit {
    /// `OLD..NEW`, or one revision: what it changed; with `--diff`, where that is applied.
    #[arg(value_name = "RANGE")]
    pub range: String,
    /// Diff that is the change, as `git apply` takes it; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub diff: Option<PathBuf>,
    /// Shell command that builds a revision, in its top folder; CC is dsu-cc, CXX is dsu-c++.
    #[arg(long, value_name = "COMMAND")]
    pub build: String,
    /// What it makes, executable or library, seen from there.
    #[arg(long, value_name = "PATH")]
    pub program: PathBuf,
    /// The running build, executable, library or .dsubase: only the new revision is built then.
    #[arg(long, value_name = "FILE")]
    pub base: Option<PathBuf>,
    /// Build in DIR/old and DIR/new, which stay. Without `--base`, run the program in DIR/old: the patch is for that build.
    #[arg(long, value_name = "DIR", required_unless_present = "base")]
    pub keep: Option<PathBuf>,
    /// The repository [default: where you are].
    #[arg(long, value_name = "DIR", default_value = ".", hide_default_value = true)]
    pub repo: PathBuf,
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
        /// Check that this process or file is the base, and not the build to become.
        #[arg(long, value_name = "PID|FILE")]
        running: Option<String>,
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
        /// Also the difference of each changed function, in LLVM IR.
        #[arg(long)]
        ir: bool,
        /// What is added to the two builds.
        #[command(flatten)]
        additions: Additions,
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
        #[arg(long, conflicts_with_all = ["new", "hooks", "accept", "report", "line_callee", "strict_lines"])]
        all_functions: bool,
        /// Check that this process or file is the base, and not the build to become.
        #[arg(long, value_name = "PID|FILE", requires = "new")]
        running: Option<String>,
        /// How the patch is made.
        #[command(flatten)]
        making: Making,
        /// Keep IR, objects and the linked file in this directory.
        #[arg(long, value_name = "DIR")]
        keep: Option<PathBuf>,
        /// What is added to the two builds.
        #[command(flatten)]
        additions: Additions,
    },
    /// Makes a patch object of a change in a git repository: builds the revisions before and after it, and compares them.
    #[command(
        after_help = "Examples:\n  patchgen git v1.6.18..v1.6.19 --build './autogen.sh && ./configure && make' --program memcached \\\n      \
                            --keep /srv/builds -o fix.dsu\n  \
                            patchgen git HEAD --base kvd.dsubase --build 'make kvd' --program kvd -o fix.dsu --report fix.html\n  \
                            patchgen git v1.0 --diff CVE-2024-1.patch --base kvd.dsubase --build 'make kvd' --program kvd -o fix.dsu"
    )]
    Git {
        /// Where the builds come from.
        #[command(flatten)]
        from: FromGit,
        /// Check that this process or file is the base, and not the build to become.
        #[arg(long, value_name = "PID|FILE")]
        running: Option<String>,
        /// How the patch is made.
        #[command(flatten)]
        making: Making,
        /// What is added to the two builds.
        #[command(flatten)]
        additions: Additions,
    },
    /// Writes a report for people: what changes and why, the overrides, what to test.
    #[command(after_help = "Examples:\n  patchgen report kvd.dsubase new/kvd -o fix.html\n  \
                            patchgen report kvd.dsubase new/kvd --patch fix.dsu --format text")]
    Report {
        /// Running build: executable, library or .dsubase.
        old: PathBuf,
        /// Build to become.
        new: PathBuf,
        /// Where to write it [default: standard output].
        #[arg(short, long)]
        output: Option<PathBuf>,
        /// What to write [default: by the name of the output, else text].
        #[arg(long)]
        format: Option<Format>,
        /// Title [default: name of the patch, or of the build].
        #[arg(long)]
        name: Option<String>,
        /// Patch made from these builds: checked to be just that, and its name and overrides are taken from it.
        #[arg(long, value_name = "FILE.dsu", conflicts_with_all = ["accept", "name"])]
        patch: Option<PathBuf>,
        /// What is added to the two builds.
        #[command(flatten)]
        additions: Additions,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_risks_may_have_one_reason() {
        assert_eq!(
            names("item, struct list,std::map<int, pair<a, b>>,f(int, int)::x,"),
            ["item", "struct list", "std::map<int, pair<a, b>>", "f(int, int)::x"]
        );
    }
}
