//! The programmer's list of quiescence points.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The list could not be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "failed to read the list of quiescence points `{0}`: {1}; each line is `function`, `thread:function`, `-function` or `-function:callee`"
)]
pub struct PointsError(PathBuf, #[source] std::io::Error);

/// What the list says: it adds to what is found, and takes away from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    /// `function`: a point before each call of it.
    pub(super) before: Vec<String>,
    /// `thread:function`: a thread starts in it.
    pub(super) threads: BTreeSet<String>,
    /// `-function`: nothing is found in it; `-*`: nothing is found at all.
    pub(super) without: BTreeSet<String>,
    /// `-function:callee`: a call of `callee` in `function` is no wait for work.
    pub(super) not_waits: BTreeMap<String, BTreeSet<String>>,
}

impl List {
    /// Reads a list; `#` begins a comment.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, PointsError> {
        let text = std::fs::read_to_string(path).map_err(|error| PointsError(path.to_owned(), error))?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let mut list = Self::default();
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        for line in lines.filter(|line| !line.is_empty()) {
            match (line.strip_prefix('-'), line.strip_prefix("thread:")) {
                (Some(without), _) => match without.split_once(':') {
                    Some((function, callee)) => {
                        list.not_waits.entry(function.trim().to_owned()).or_default().insert(callee.trim().to_owned());
                    }
                    None => drop(list.without.insert(without.trim().to_owned())),
                },
                (None, Some(thread)) => drop(list.threads.insert(thread.trim().to_owned())),
                (None, None) => list.before.push(line.to_owned()),
            }
        }
        list
    }

    pub(super) fn leaves_out(&self, function: &str) -> bool {
        self.without.contains(function) || self.without.contains("*")
    }

    pub(super) fn is_no_wait(&self, function: &str, callee: &str) -> bool {
        self.not_waits.get(function).is_some_and(|callees| callees.contains(callee))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_line_is_understood() {
        let list = List::parse("# waits\nepoll\n -handler # no\n-serve: poll\nthread:worker\n\n");
        assert_eq!(list.before, ["epoll"]);
        assert!(list.leaves_out("handler") && !list.leaves_out("serve"));
        assert!(list.is_no_wait("serve", "poll") && !list.is_no_wait("serve", "read"));
        assert!(list.threads.contains("worker"));
        assert!(List::parse("-*").leaves_out("anything"));
    }
}
