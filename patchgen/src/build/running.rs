//! Which of two builds is it that runs? Given the wrong way round, they would make a patch that takes a fix back.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use object::Object;

use super::{Build, container};
use crate::problem::{Problem, Reason, Result};

/// Checks that `running`, a process id or a file, is the base and not the build to become.
pub fn check(old: &Build, new: &Build, running: &str) -> Result<()> {
    let ids = match running.parse::<u32>() {
        Ok(pid) => mapped(pid, running)?,
        Err(_) => BTreeSet::from([of_file(Path::new(running), running)?]),
    };
    if ids.contains(&old.build_id) {
        return Ok(());
    }
    let (base, other) = (old.build_id_hex(), new.build_id_hex());
    if ids.contains(&new.build_id) {
        let message = format!("runs build {other}, which was given as the build to become; the base given is {base}");
        return Err(Problem::new(Reason::Swapped, running, message));
    }
    Err(Problem::new(Reason::OtherBase, running, format!("does not run the base given, build {base}")))
}

fn of_file(path: &Path, shown: &str) -> Result<Vec<u8>> {
    let bytes = fs::read(path).map_err(|e| Problem::new(Reason::Unreadable, shown, format!("cannot be read: {e}")))?;
    if container::is_container(&bytes) {
        return Ok(container::read(&bytes, shown)?.build_id);
    }
    let id = object::File::parse(&*bytes).ok().and_then(|f| f.build_id().ok().flatten().map(<[u8]>::to_vec));
    id.ok_or_else(|| Problem::new(Reason::NoBuildId, shown, "has no GNU build-id"))
}

/// Build-ids of the program and the libraries of a process. `exe` still leads to a program whose file was replaced.
fn mapped(pid: u32, shown: &str) -> Result<BTreeSet<Vec<u8>>> {
    let directory = PathBuf::from(format!("/proc/{pid}"));
    let maps = fs::read_to_string(directory.join("maps"));
    let maps = maps.map_err(|e| Problem::new(Reason::Unreadable, shown, format!("is no process to look into: {e}")))?;
    let libraries: BTreeSet<&str> = maps.lines().filter_map(|l| l.find('/').and_then(|at| l.get(at..))).collect();
    let files = libraries.into_iter().map(PathBuf::from).chain([directory.join("exe")]);
    Ok(files.filter_map(|file| of_file(&file, shown).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_process_is_found_by_its_build_id() {
        let own = std::env::current_exe().expect("a file");
        let Ok(id) = of_file(&own, "own") else { return };
        assert!(mapped(std::process::id(), "own").expect("readable").contains(&id));
    }

    #[test]
    fn what_is_no_process_is_told_so() {
        let problem = mapped(0, "0").expect_err("no such process");
        assert_eq!(problem.reason, Reason::Unreadable);
    }
}
