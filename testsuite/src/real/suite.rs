//! memcached's own tests, run on a build of ours: which of them pass.
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::process::{kill_group, start, text_of, wait};

/// The longest one test file may take; the slowest need 25 s.
const LIMIT: Duration = Duration::from_secs(120);

/// How one test file ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// It exited with 0, as `prove` wants it.
    pub passed: bool,
    /// What did not hold, or how it died.
    pub complaints: Vec<String>,
    /// Checks that held.
    pub held: usize,
    /// Time it took.
    pub time: Duration,
}

/// The test files below `t/` of a built tree.
pub fn files(tree: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(tree.join("t")).context("the tree has no tests")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".t") {
            names.push(name);
        }
    }
    names.sort();
    ensure!(!names.is_empty(), "no tests in `{}`", tree.display());
    Ok(names)
}

/// What is done to the servers of a test file, again and again while it runs: it is told the folder of their sockets.
pub type Meanwhile<'a> = &'a (dyn Fn(&Path) -> Result<()> + Sync);

/// How often that is done.
const PACE: Duration = Duration::from_millis(50);

/// Runs all test files of a tree, so many at a time; each file's outcome.
pub fn run(tree: &Path, jobs: usize) -> Result<BTreeMap<String, Outcome>> {
    run_meanwhile(tree, &files(tree)?, jobs, None)
}

/// Runs these test files, and what is to be done meanwhile. Many of them measure seconds, which goes wrong on a busy
/// machine: a file that fails gets a second chance alone, on every build alike.
pub fn run_meanwhile(
    tree: &Path,
    files: &[String],
    jobs: usize,
    meanwhile: Option<Meanwhile<'_>>,
) -> Result<BTreeMap<String, Outcome>> {
    let mut outcomes = run_files(tree, files, jobs, meanwhile)?;
    let failed: Vec<String> = outcomes.iter().filter(|(_, o)| !o.passed).map(|(file, _)| file.clone()).collect();
    outcomes.extend(run_files(tree, &failed, 1, meanwhile)?);
    Ok(outcomes)
}

fn run_files(
    tree: &Path,
    files: &[String],
    jobs: usize,
    meanwhile: Option<Meanwhile<'_>>,
) -> Result<BTreeMap<String, Outcome>> {
    let (next, outcomes) = (Mutex::new(files.iter()), Mutex::new(BTreeMap::new()));
    let logs = tempfile::tempdir()?;
    std::thread::scope(|scope| {
        let work = || -> Result<()> {
            loop {
                let Some(file) = next.lock().expect("no thread panics with it").next() else { return Ok(()) };
                let outcome = run_one(tree, file, logs.path().join(file), meanwhile)?;
                outcomes.lock().expect("no thread panics with it").insert(file.clone(), outcome);
            }
        };
        let threads: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(result) => result,
            Err(_) => bail!("a thread that ran tests panicked"),
        })
    })?;
    Ok(outcomes.into_inner().expect("no thread panicked with it"))
}

fn run_one(tree: &Path, file: &str, log: PathBuf, meanwhile: Option<Meanwhile<'_>>) -> Result<Outcome> {
    let output = fs::File::create(&log)?;
    let begin = Instant::now();
    let mut command = Command::new("perl");
    command.args(["-Ilib", &format!("t/{file}")]).current_dir(tree).stdin(Stdio::null());
    // A file and not a pipe: servers that a test leaves behind would hold a pipe open.
    command.stdout(output.try_clone()?).stderr(output).env("DSU_RUNTIME_DIR", log.with_extension("sockets"));
    fs::create_dir_all(log.with_extension("sockets"))?;
    let mut child = start(&mut command)?;
    let status = end(&mut child, LIMIT, &log.with_extension("sockets"), meanwhile)?;
    let printed = text_of(&log);
    let mut complaints: Vec<String> =
        printed.lines().filter(|line| line.starts_with("not ok")).map(str::to_owned).collect();
    match status {
        None => complaints.push(format!("killed after {} s", LIMIT.as_secs())),
        Some(status) if !status.success() => {
            let last = printed.lines().last().unwrap_or_default();
            complaints.push(format!("{status}: {last}"));
        }
        Some(_) => {}
    }
    let held = printed.lines().filter(|line| line.starts_with("ok")).count();
    Ok(Outcome { passed: status.is_some_and(|status| status.success()), complaints, held, time: begin.elapsed() })
}

/// Waits for the end of tests, at most so long, and does meanwhile what is to be done; `None` when they took longer. Whatever
/// happens, nothing of them is left behind.
pub(super) fn end(
    child: &mut Child,
    limit: Duration,
    sockets: &Path,
    meanwhile: Option<Meanwhile<'_>>,
) -> Result<Option<ExitStatus>> {
    let begin = Instant::now();
    let mut until_the_end = || loop {
        let status = wait(child, PACE)?;
        if status.is_some() || begin.elapsed() > limit {
            return Ok(status);
        }
        meanwhile.map_or(Ok(()), |meanwhile| meanwhile(sockets))?;
    };
    let status = until_the_end();
    kill_group(child.id());
    child.wait()?;
    status
}

/// The test files whose passing differs between two runs, with the reasons.
pub fn differences(plain: &BTreeMap<String, Outcome>, other: &BTreeMap<String, Outcome>) -> Vec<String> {
    let differs = |(file, outcome): &(&String, &Outcome)| other.get(*file).map(|o| o.passed) != Some(outcome.passed);
    let tell = |(file, outcome): (&String, &Outcome)| {
        let theirs = other.get(file).map(|other| other.complaints.join("; "));
        format!("{file}: {:?} here, {theirs:?} there", outcome.complaints.join("; "))
    };
    plain.iter().filter(differs).map(tell).collect()
}
