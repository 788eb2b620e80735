//! Builds the revisions.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use super::trees::{Root, Trees};
use super::{Commit, by_itself};
use crate::problem::{Problem, Reason, Result};
use crate::progress::Progress;

/// How a revision is built.
#[derive(Debug, Clone, Copy)]
pub struct Recipe<'r> {
    /// For `sh -c`, in the folder of the revision.
    pub shell: &'r str,
    /// What it makes, seen from there.
    pub program: &'r Path,
}

/// Both builds.
#[derive(Debug)]
pub struct Made {
    /// The program before the change; none when that was not to be built.
    pub old: Option<PathBuf>,
    /// The program after it.
    pub new: PathBuf,
    /// The sources of both.
    pub trees: (PathBuf, PathBuf),
    /// What the programs lie in.
    _root: Root,
}

impl Trees {
    /// Builds them by one recipe; the old one only `with_old`, as there may be a build of it that runs.
    ///
    /// # Errors
    /// When a build fails, or leaves no program. Then the folders stay, with what it printed.
    pub fn build(self, recipe: Recipe<'_>, with_old: bool, progress: &Progress) -> Result<Made> {
        let Self { old, new, mut root } = self;
        let make = |(commit, tree): &(Commit, PathBuf)| build(commit, tree, recipe, progress);
        let made = with_old.then(|| make(&old)).transpose();
        let both = made.and_then(|old| Ok((old, make(&new)?)));
        match both {
            Ok((before, after)) => Ok(Made { old: before, new: after, trees: (old.1, new.1), _root: root }),
            Err(problem) => {
                if let Root::Scratch(directory) = &mut root {
                    directory.disable_cleanup(true);
                }
                Err(problem)
            }
        }
    }
}

fn build(commit: &Commit, tree: &Path, recipe: Recipe<'_>, progress: &Progress) -> Result<PathBuf> {
    let log = tree.with_extension("log");
    let failed = |message: String| Problem::new(Reason::BuildFailed, commit.shown(), message);
    let status = run(recipe.shell, tree, &log, || progress.step(&format!("building {}", commit.shown())));
    let status = status.map_err(|e| failed(format!("`{}` cannot be run: {e}", recipe.shell)))?;
    if !status.success() {
        let said = std::fs::read(&log).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let message = format!("`{}` failed ({status}): `{}`, see `{}`", recipe.shell, why(&said), log.display());
        return Err(failed(message));
    }
    let program = tree.join(recipe.program);
    if !program.is_file() {
        return Err(failed(format!("`{}` left no `{}`", recipe.shell, program.display())));
    }
    Ok(program)
}

/// The line that most likely says why: the first error, as the last line may be of a job that went well meanwhile.
fn why(said: &str) -> &str {
    let is_error = |line: &&str| ["error:", "Error:", "ERROR:"].iter().any(|word| line.contains(word));
    let last = || said.lines().rev().find(|line| !line.trim().is_empty());
    said.lines().find(is_error).or_else(last).unwrap_or("it said nothing").trim()
}

/// Runs a shell command to its end with all that it prints in `log`, and calls `meanwhile` now and then.
fn run(shell: &str, tree: &Path, log: &Path, meanwhile: impl Fn()) -> std::io::Result<ExitStatus> {
    let output = File::create(log)?;
    let mut command = Command::new("sh");
    command.args(["-c", shell]).current_dir(tree).env("CC", "dsu-cc").env("CXX", "dsu-c++").env("PATH", search_path());
    by_itself(&mut command);
    let mut child = command.stdin(Stdio::null()).stderr(output.try_clone()?).stdout(output).spawn()?;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        meanwhile();
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The wrappers are looked for beside patchgen first.
fn search_path() -> OsString {
    let here = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned));
    let all = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(here.into_iter().chain(std::env::split_paths(&all))).unwrap_or(all)
}
