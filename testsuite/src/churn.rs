//! Updates a process again and again while it is under load: a patch, another in its place, none, with pauses of all
//! lengths, and looks at what stays behind.
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use serde::Serialize;

use crate::config::Consistency;
use crate::real::command::dsuctl;
use crate::real::compiler::Flavor;
use crate::real::journey::make_patch;
use crate::real::load::{Load, Options, Report};
use crate::real::subject::{Subject, Version};

/// Updates after which memory has to be what it will be in the end.
pub const SETTLED: u32 = 100;

/// How long the code of a patch that was taken back may stay.
const UNMAPPED: Duration = Duration::from_millis(500);

/// The longest that a load goes on.
const LIMIT: Duration = Duration::from_secs(24 * 3600);

/// What to do to which process.
#[derive(Clone, Copy, Debug)]
pub struct Churn<'a> {
    /// The folder of its socket.
    pub sockets: &'a Path,
    /// The process.
    pub pid: u32,
    /// The patches, each for the program as it was built.
    pub patches: &'a [PathBuf],
    /// How they are applied.
    pub consistency: Consistency,
    /// How many updates.
    pub updates: u32,
    /// Each pause is a random part of it.
    pub longest_pause: Duration,
    /// Of the random numbers, for a run like an earlier one.
    pub seed: u64,
}

/// How it went.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Updates by a patch.
    pub applied: u32,
    /// Updates back to the program as it was built.
    pub reverted: u32,
    /// Resident memory in KiB after [`SETTLED`] updates, 0 if there were not so many, and after the last.
    pub settled_kib: u64,
    /// The same after the last update.
    pub last_kib: u64,
    /// Mappings of patch objects after the last update.
    pub mappings: usize,
    /// How long each update took until dsuctl returned, in order of length.
    pub times: Vec<Duration>,
}

impl Outcome {
    /// Resident memory after the last update, as a multiple of what it was when settled.
    pub fn growth(&self) -> f64 {
        self.last_kib as f64 / self.settled_kib as f64
    }

    /// The time that half of the updates, or another part of them, took at most.
    pub fn time(&self, part: f64) -> Duration {
        let last = self.times.len().saturating_sub(1);
        self.times.get((last as f64 * part) as usize).copied().unwrap_or_default()
    }
}

/// Does it; `look` is called after each update with its number, and may end it by an error.
///
/// # Errors
/// When an update does not succeed.
pub fn churn(plan: Churn<'_>, look: &mut dyn FnMut(u32) -> Result<()>) -> Result<Outcome> {
    let pid = plan.pid.to_string();
    let mut rng = Rng::with_seed(plan.seed);
    let mut now = None;
    let revert = || dsuctl(plan.sockets, &["revert", "--all", &pid]).map(drop);
    let mut outcome = Outcome { applied: 0, reverted: 0, settled_kib: 0, last_kib: 0, mappings: 0, times: Vec::new() };
    for number in 1..=plan.updates {
        // Never what is in effect already: that would be no update.
        let others: Vec<_> = (0..plan.patches.len()).map(Some).chain([None]).filter(|other| *other != now).collect();
        now = others[rng.usize(0..others.len())];
        let begin = Instant::now();
        match now {
            Some(patch) => {
                let patch = plan.patches[patch].to_string_lossy();
                let words = [&["apply", &*pid, &*patch][..], &plan.consistency.arguments()].concat();
                dsuctl(plan.sockets, &words)?;
                outcome.applied += 1;
            }
            None => {
                revert()?;
                outcome.reverted += 1;
            }
        }
        outcome.times.push(begin.elapsed());
        look(number).with_context(|| format!("after update {number}, seed {}", plan.seed))?;
        std::thread::sleep(plan.longest_pause.mul_f64(rng.f64()));
        if number == SETTLED || number == plan.updates {
            // Both readings are of the program as it was built: a patch in effect has pages of its own.
            if now.take().is_some() {
                revert()?;
                std::thread::sleep(UNMAPPED);
            }
            if number == SETTLED {
                outcome.settled_kib = resident_kib(plan.pid)?;
            }
        }
    }
    outcome.last_kib = resident_kib(plan.pid)?;
    outcome.mappings = mappings(plan.pid, plan.patches)?;
    outcome.times.sort();
    Ok(outcome)
}

/// How to churn a server under load.
#[derive(Clone, Copy, Debug)]
pub struct UnderLoad {
    /// How patches are applied.
    pub consistency: Consistency,
    /// How many updates.
    pub updates: u32,
    /// Each pause is a random part of it.
    pub longest_pause: Duration,
    /// Requests per second.
    pub rate: u64,
    /// Of the random numbers.
    pub seed: u64,
    /// Also with patches that replace every function by a copy of itself.
    pub identity: bool,
}

/// Starts the first subject's old version, puts load on it, and churns it with the patches of all subjects, which share
/// that old version. A failed request ends it; `tell` hears of updates and requests so far.
///
/// # Errors
/// When something cannot be built or started, an update does not succeed, or a request fails.
pub fn churn_under_load(
    subjects: &[Box<dyn Subject>],
    plan: UnderLoad,
    tell: &mut dyn FnMut(u32, u64),
) -> Result<(Outcome, Report)> {
    let folder = tempfile::tempdir()?;
    let old = subjects[0].cached_build(Version::Old, Flavor::Armed)?;
    let mut patches = Vec::new();
    for (number, subject) in subjects.iter().enumerate() {
        let patch = folder.path().join(format!("churn-{number}.dsu"));
        make_patch(&old, &subject.cached_build(Version::New, Flavor::Armed)?, &patch)?;
        patches.push(patch);
    }
    if plan.identity {
        patches.extend(crate::identity::patches(&old)?);
    }
    let mut live = subjects[0].start(&old, folder.path())?;
    let options = Options { rate: plan.rate, limit: LIMIT, ..Options::new(live.protocol(), live.address()) };
    let load = Load::start(options)?;
    let churning = Churn {
        sockets: folder.path(),
        pid: live.server().pid(),
        patches: &patches,
        consistency: plan.consistency,
        updates: plan.updates,
        longest_pause: plan.longest_pause,
        seed: plan.seed,
    };
    let outcome = churn(churning, &mut |number| {
        tell(number, load.answered());
        ensure!(load.failed() == 0, "a request failed");
        Ok(())
    });
    let report = load.stop()?;
    live.server().check_alive()?;
    ensure!(report.failed == 0, "{} requests failed: {:?}", report.failed, report.failures);
    Ok((outcome?, report))
}

/// Resident memory of a process.
///
/// # Errors
/// When it is gone.
pub fn resident_kib(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the process is gone")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS line")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// How many mappings a process has of these patches.
///
/// # Errors
/// When it is gone.
pub fn mappings(pid: u32, patches: &[PathBuf]) -> Result<usize> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).context("the process is gone")?;
    // A patch is named after its file, and the memory file it is loaded from after the patch.
    let names = patches.iter().filter_map(|patch| Some(format!("/memfd:{} ", patch.file_stem()?.to_str()?)));
    let names: Vec<_> = names.collect();
    Ok(maps.lines().filter(|line| names.iter().any(|name| line.contains(name))).count())
}
