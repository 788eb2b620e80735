//! Which revisions a change lies between.

use std::path::Path;

use super::git;
use crate::problem::{Problem, Reason, Result};

/// A revision that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its full hash.
    pub id: String,
    /// As it was asked for.
    pub asked: String,
}

impl Commit {
    fn find(repository: &Path, asked: &str) -> Result<Self> {
        let wanted = format!("{asked}^{{commit}}");
        let id = git(repository, &["rev-parse", "--verify", "--end-of-options", &wanted], b"").map_err(|problem| {
            // A folder that is no repository is another mistake than a revision that is none.
            match git(repository, &["rev-parse", "--git-dir"], b"") {
                Ok(_) => Problem::new(Reason::Repository, asked, "is no revision of this repository"),
                Err(_) => problem,
            }
        })?;
        // `--end-of-options` is printed by some versions of git.
        let id = id.lines().last().unwrap_or_default().to_owned();
        Ok(Self { id, asked: asked.to_owned() })
    }

    /// For people: what was asked for, and the start of the hash.
    pub fn shown(&self) -> String {
        let short = self.id.get(..10).unwrap_or(&self.id);
        if self.id.starts_with(&self.asked) { short.to_owned() } else { format!("{} ({short})", self.asked) }
    }
}

/// A change: from one revision to another, or what a diff makes of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Before the change.
    pub old: Commit,
    /// After it, but for `diff`.
    pub new: Commit,
    /// What is then applied to `new`, as `git apply` takes it.
    pub diff: Option<Vec<u8>>,
}

impl Range {
    /// `OLD..NEW`, `OLD..` up to `HEAD`, or one revision: what it changed, or, with a diff, where that is applied.
    ///
    /// # Errors
    /// When this is no repository, or has no such revisions.
    pub fn find(repository: &Path, asked: &str, diff: Option<Vec<u8>>) -> Result<Self> {
        let wrong = |message: &str| Err(Problem::new(Reason::Repository, asked, message));
        let (old, new) = match (asked.split_once(".."), &diff) {
            (Some((_, new)), _) if new.starts_with('.') => return wrong("has two starts: give `OLD..NEW`"),
            (Some(_), Some(_)) => return wrong("is a range, and a diff applies to one revision"),
            (Some((old, new)), None) => (old.to_owned(), if new.is_empty() { "HEAD" } else { new }.to_owned()),
            (None, Some(_)) => (asked.to_owned(), asked.to_owned()),
            (None, None) => (format!("{asked}^"), asked.to_owned()),
        };
        let find = |name: &str| Commit::find(repository, if name.is_empty() { "HEAD" } else { name });
        Ok(Self { old: find(&old)?, new: find(&new)?, diff })
    }
}
