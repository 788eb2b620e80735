//! Both revisions of a change as folders of their own.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Commit, Range, git};
use crate::problem::{Problem, Reason, Result};

/// The folders that revisions are built in.
#[derive(Debug)]
pub struct Trees {
    /// Before the change.
    pub old: (Commit, PathBuf),
    /// After it.
    pub new: (Commit, PathBuf),
    /// Above both.
    pub(super) root: Root,
}

/// Where the folders are.
#[derive(Debug)]
pub(super) enum Root {
    /// In a folder that stays.
    Kept(PathBuf),
    /// In one that goes with this value.
    Scratch(tempfile::TempDir),
}

impl Root {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Scratch(directory) => directory.path(),
        }
    }

    fn new(keep: Option<&Path>) -> Result<Self> {
        let shown = |path: &Path| path.display().to_string();
        let Some(path) = keep else {
            let made = tempfile::Builder::new().prefix("patchgen-").tempdir();
            let wrong =
                |e: std::io::Error| Problem::new(Reason::Unwritable, shown(&std::env::temp_dir()), e.to_string());
            return made.map(Self::Scratch).map_err(wrong);
        };
        for name in [OLD, NEW] {
            if path.join(name).exists() {
                return Err(Problem::new(Reason::Unwritable, shown(&path.join(name)), "exists already"));
            }
        }
        let made = fs::create_dir_all(path);
        made.map(|()| Self::Kept(path.to_owned()))
            .map_err(|e| Problem::new(Reason::Unwritable, shown(path), e.to_string()))
    }
}

/// Names of the folders: of one length, so that a path that gets into a program moves nothing in it.
const OLD: &str = "old";
const NEW: &str = "new";

impl Trees {
    /// Checks out both revisions, below `keep` or in a folder that goes with the result.
    ///
    /// # Errors
    /// When git fails, or the diff does not apply.
    pub fn check_out(repository: &Path, range: Range, keep: Option<&Path>) -> Result<Self> {
        let root = Root::new(keep)?;
        // As the compiler will name it.
        let above = root.path().canonicalize().unwrap_or_else(|_| root.path().to_owned());
        let place = |name: &str, commit: Commit| -> Result<(Commit, PathBuf)> {
            let path = above.join(name);
            check_out(repository, &commit, &path)?;
            Ok((commit, path))
        };
        let old = place(OLD, range.old)?;
        let new = place(NEW, range.new)?;
        if let Some(diff) = range.diff {
            git(&new.1, &["apply", "--whitespace=nowarn", "-"], &diff).map_err(|problem| Problem {
                subject: new.0.shown(),
                message: format!("the diff does not apply: {}", problem.message),
                ..problem
            })?;
        }
        Ok(Self { old, new, root })
    }
}

/// A clone that shares the repository's objects: builds that ask git for their version get an answer, and the repository
/// needs to know of nothing.
fn check_out(repository: &Path, commit: &Commit, path: &Path) -> Result<()> {
    let source = git(repository, &["rev-parse", "--absolute-git-dir"], b"")?;
    let above = path.parent().unwrap_or(Path::new("."));
    let clone = ["clone", "--quiet", "--shared", "--no-checkout", "--"].map(Into::into);
    git(above, &[&clone[..], &[source.into(), path.as_os_str().to_owned()]].concat(), b"")?;
    git(path, &["checkout", "--quiet", "--detach", &commit.id], b"")?;
    Ok(())
}
