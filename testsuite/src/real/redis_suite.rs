//! redis' own tests, run on a build of ours: which of their files pass.
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::command::run;
use super::compiler::Flavor;
use super::redis;
use super::skip::Skipped;
use super::suite::{self, Meanwhile, Outcome};
use crate::process::{start, text_of};

/// The longest a run of all files may take; undisturbed it needs 10 minutes on 2 cores.
const LIMIT: Duration = Duration::from_secs(3_600);

/// The test files that `tests/test_helper.tcl` of a tree lists, as it names them: `unit/expire`.
pub fn files(tree: &Path) -> Result<Vec<String>> {
    let helper = fs::read_to_string(tree.join("tests/test_helper.tcl")).context("the tree has no tests")?;
    let list = helper.split_once("set ::all_tests {").and_then(|(_, rest)| rest.split_once('}'));
    let (list, _) = list.context("`tests/test_helper.tcl` lists no tests")?;
    Ok(list.split_whitespace().map(str::to_owned).collect())
}

/// Runs these files on a tree that [`redis::make`] has built, `clients` at a time, and what is to be done meanwhile to
/// the servers. A file that fails gets a second chance alone.
pub fn run_meanwhile(
    tree: &Path,
    flavor: Flavor,
    files: &[String],
    clients: usize,
    meanwhile: Option<Meanwhile<'_>>,
) -> Result<BTreeMap<String, Outcome>> {
    redis::make_clients(tree, flavor)?;
    let mut outcomes = run_files(tree, files, clients, meanwhile)?;
    let failed: Vec<String> = outcomes.iter().filter(|(_, o)| !o.passed).map(|(file, _)| file.clone()).collect();
    for file in failed {
        eprintln!("{file} failed and is tried again: {}", outcomes[&file].complaints.join("; "));
        outcomes.extend(run_files(tree, &[file], 1, meanwhile)?);
    }
    Ok(outcomes)
}

fn run_files(
    tree: &Path,
    files: &[String],
    clients: usize,
    meanwhile: Option<Meanwhile<'_>>,
) -> Result<BTreeMap<String, Outcome>> {
    let place = tempfile::tempdir()?;
    let (log, sockets) = (place.path().join("log"), place.path().join("sockets"));
    fs::create_dir(&sockets)?;
    let output = fs::File::create(&log)?;
    let mut command = Command::new("tclsh");
    command.args(["tests/test_helper.tcl", "--clients", &clients.to_string()]).current_dir(tree);
    for file in files {
        command.args(["--single", file]);
    }
    command.env("TERM", "dumb").env("DSU_RUNTIME_DIR", &sockets).stdin(Stdio::null());
    command.stdout(output.try_clone()?).stderr(output);
    let mut child = match start(&mut command) {
        Err(_) if run(Command::new("tclsh").arg("/dev/null"), &[0]).is_err() => {
            bail!(Skipped("there is no `tclsh` (ci/install-deps.sh not run)".to_owned()))
        }
        started => started?,
    };
    let ended = suite::end(&mut child, LIMIT, &sockets, meanwhile)?;
    let printed = text_of(&log);
    let outcomes = outcomes(&printed, files);
    let last = printed.lines().rev().take(20).collect::<Vec<_>>();
    // A file alone may have nothing to test in this build.
    let ran = files.len() == 1 || outcomes.values().any(|outcome| outcome.held > 0);
    ensure!(ended.is_some() && ran, "redis' tests did not run: {last:#?}");
    Ok(outcomes)
}

/// What the tests have printed about each file. `[ok]` does not say of which file it is, so what held counts for all.
fn outcomes(printed: &str, files: &[String]) -> BTreeMap<String, Outcome> {
    let held = printed.lines().filter(|line| line.starts_with("[ok]:")).count();
    let done: BTreeSet<&str> = printed
        .lines()
        .filter_map(|line| line.strip_prefix('[')?.split_once(" done]: ")?.1.split(' ').next())
        .collect();
    let of = |file: &String| {
        let place = format!("tests/{file}.tcl");
        let complains = |line: &&str| line.starts_with("[err]:") && line.contains(&place);
        let mut complaints: Vec<String> = printed.lines().filter(complains).map(str::to_owned).collect();
        if !done.contains(file.as_str()) {
            complaints.push("it did not come to its end".to_owned());
            complaints.extend(printed.lines().filter(|line| line.starts_with("[exception]")).map(str::to_owned));
        }
        (file.clone(), Outcome { passed: complaints.is_empty(), complaints, held, time: Duration::ZERO })
    };
    files.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::outcomes;

    #[test]
    fn a_file_passes_that_came_to_its_end_without_a_complaint() {
        let files = ["unit/a", "unit/type/b", "unit/c"].map(str::to_owned);
        let printed = "[ok]: one (3 ms)\n[err]: two in tests/unit/type/b.tcl\nExpected '1'\n\
                       [1/3 done]: unit/a (1 seconds)\n[2/3 done]: unit/type/b (0 seconds)\n";
        let outcomes = outcomes(printed, &files);
        assert_eq!(outcomes.values().map(|outcome| outcome.passed).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(outcomes["unit/type/b"].complaints, ["[err]: two in tests/unit/type/b.tcl"]);
    }
}
