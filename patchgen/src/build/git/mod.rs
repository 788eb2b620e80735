//! Two builds out of a git repository: the revisions before and after a change, or one revision and a diff.
//!
//! [`Range`] (what was asked for) -> [`Trees`] (both revisions, checked out) -> [`Made`] (both built). The repository itself
//! is only read.

mod make;
mod range;
mod trees;

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::problem::{Problem, Reason, Result};

pub use make::{Made, Recipe};
pub use range::{Commit, Range};
pub use trees::Trees;

/// Runs git in `directory` with `input` on its standard input; what it prints, without the last line's end.
fn git<A: AsRef<OsStr>>(directory: &Path, arguments: &[A], input: &[u8]) -> Result<String> {
    let failed = |message: String| Problem::new(Reason::Repository, directory.display().to_string(), message);
    let mut command = Command::new("git");
    command.arg("-C").arg(directory).args(arguments);
    by_itself(&mut command);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = piped.map_err(|e| failed(format!("git cannot be run: {e}")))?;
    if let Some(mut pipe) = child.stdin.take() {
        // git that ends before it has read all of it says why.
        let _ = pipe.write_all(input);
    }
    let output = child.wait_with_output().map_err(|e| failed(format!("git was lost: {e}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let first = said.lines().find(|l| !l.trim().is_empty()).unwrap_or("it says nothing").trim();
        return Err(failed(format!(
            "git failed: {}",
            first.trim_start_matches("fatal: ").trim_start_matches("error: ")
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// Without what a git hook that calls us has in its environment: it would lead to another repository.
fn by_itself(command: &mut Command) {
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY"] {
        command.env_remove(name);
    }
}
