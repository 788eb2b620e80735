//! Processes and their descendants.

use std::io;

use crate::error::Error;
use crate::target::{Runtime, Target};

/// All processes with a runtime, each with how many of its ancestors have one too: parents before their children.
pub(crate) fn forest() -> io::Result<Vec<(usize, Target)>> {
    let mut everybody = Target::everybody()?;
    let pids: Vec<u32> = everybody.iter().map(|target| target.pid).collect();
    let mut found = Vec::new();
    while !everybody.is_empty() {
        // Without a root only when numbers were used again while we looked.
        let at = everybody.iter().position(|target| !pids.contains(&target.parent)).unwrap_or(0);
        let root = everybody.remove(at);
        below(root, 0, &mut everybody, &mut found);
    }
    Ok(found)
}

/// A process and its descendants, as far as they have a runtime; the process first, then by generation.
pub(crate) fn members(pid: u32) -> Result<Vec<Target>, Error> {
    let root = Target::find(pid)?;
    let mut others = Target::everybody().map_err(|_| Error::NoProcess(pid))?;
    others.retain(|target| target.pid != pid);
    let command = root.command.clone();
    let mut found = Vec::new();
    below(root, 0, &mut others, &mut found);
    if found.is_empty() {
        return Err(Error::NoRuntime { pid, command });
    }
    Ok(found.into_iter().map(|(_, target)| target).collect())
}

/// Moves `parent` and its descendants from `others` to `found`.
fn below(parent: Target, depth: usize, others: &mut Vec<Target>, found: &mut Vec<(usize, Target)>) {
    let is_child = |target: &mut Target| target.parent == parent.pid;
    let children: Vec<Target> = others.extract_if(.., is_child).collect();
    let has_runtime = parent.runtime() != Runtime::Absent;
    if has_runtime {
        found.push((depth, parent));
    }
    for child in children {
        below(child, depth + usize::from(has_runtime), others, found);
    }
}
