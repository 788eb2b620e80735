//! The whole way on one program: build both versions, load, patch, apply, prove, revert, prove.
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::Value;

use super::command::{dsuctl, json, patchgen};
use super::compiler::Flavor;
use super::load::{Load, Options, Report};
use super::subject::{Live, Subject, Version};

/// How to travel.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// How the program is built.
    pub flavor: Flavor,
    /// An empty folder for builds, logs, sockets and the patch.
    pub folder: &'a Path,
    /// Takes builds from the cache; else they are made, and their time is told.
    pub cached: bool,
    /// Connections of the load.
    pub connections: usize,
    /// Requests per second; 0 for as many as it takes.
    pub rate: u64,
    /// How long the load runs before apply, between apply and revert, and after.
    pub calm: Duration,
}

/// One step and its time.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// What was done.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
}

/// What was seen on the way.
#[derive(Clone, Debug, Serialize)]
pub struct Journey {
    /// The program and its version.
    pub program: String,
    /// What was patched in.
    pub fix: String,
    /// The dispatch it was built with.
    pub dispatch: &'static str,
    /// Size of the patch object.
    pub patch_bytes: u64,
    /// The functions that were redirected.
    pub functions: Vec<String>,
    /// The runtime's own times of apply, in microseconds.
    pub apply_timings_us: Value,
    /// The probe's answers: before, while applied, after revert.
    pub answers: [String; 3],
    /// The load; marks `apply` and `revert`.
    pub load: Report,
    /// Each step.
    pub steps: Vec<Step>,
}

/// The steps so far; each is announced when it begins and timed when it ends.
struct Steps<'a> {
    done: Vec<Step>,
    announce: &'a mut dyn FnMut(Progress<'_>),
}

/// What the traveller is told on the way.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// A step begins.
    Begin(&'a str),
    /// The step that began last has ended.
    End(Duration),
}

impl Steps<'_> {
    fn step<T>(&mut self, name: &str, body: impl FnOnce() -> Result<T>) -> Result<T> {
        (self.announce)(Progress::Begin(name));
        let start = Instant::now();
        let value = body().with_context(|| format!("failed at: {name}"))?;
        (self.announce)(Progress::End(start.elapsed()));
        self.done.push(Step { name: name.to_owned(), seconds: start.elapsed().as_secs_f64() });
        Ok(value)
    }
}

/// Travels; fails when a probe does not answer as its version should. Failed requests are in the result.
pub fn travel(subject: &dyn Subject, plan: Plan<'_>, announce: &mut dyn FnMut(Progress<'_>)) -> Result<Journey> {
    let mut steps = Steps { done: Vec::new(), announce };
    let old = steps.step("build the old version", || build(subject, plan, Version::Old))?;
    let new = steps.step("build the new version", || build(subject, plan, Version::New))?;
    let mut live = steps.step("start the old one, 4 threads", || subject.start(&old, plan.folder))?;
    let options =
        Options { connections: plan.connections, rate: plan.rate, ..Options::new(live.protocol(), live.address()) };
    let mut load = steps.step("put load on it", || Load::start(options))?;
    let patch = plan.folder.join("fix.dsu");
    steps.step("make the patch", || make_patch(&old, &new, &patch))?;
    std::thread::sleep(plan.calm);

    let pid = live.server().pid().to_string();
    let before = steps.step("ask the old version", || probe(subject, live.as_ref(), Version::Old))?;
    load.mark("apply", Instant::now());
    let patch_argument = patch.to_string_lossy().into_owned();
    let applied = steps.step("apply", || dsuctl(plan.folder, &["apply", &pid, &patch_argument]))?.0;
    let patched = steps.step("ask the updated one", || probe(subject, live.as_ref(), Version::New))?;
    std::thread::sleep(plan.calm);
    load.mark("revert", Instant::now());
    steps.step("revert", || dsuctl(plan.folder, &["revert", &pid]))?;
    let after = steps.step("ask the reverted one", || probe(subject, live.as_ref(), Version::Old))?;
    std::thread::sleep(plan.calm);

    let load = load.stop()?;
    live.server().check_alive()?;
    Ok(Journey {
        program: subject.name(),
        fix: subject.fix(),
        dispatch: plan.flavor.name(),
        patch_bytes: std::fs::metadata(&patch)?.len(),
        functions: names(&applied["functions"]),
        apply_timings_us: applied["timings_us"].clone(),
        answers: [before, patched, after],
        load,
        steps: steps.done,
    })
}

fn build(subject: &dyn Subject, plan: Plan<'_>, version: Version) -> Result<PathBuf> {
    if plan.cached {
        return subject.cached_build(version, plan.flavor);
    }
    let folder = plan.folder.join(version.name());
    std::fs::create_dir_all(&folder)?;
    subject.build(version, plan.flavor, &folder)
}

/// Makes the patch; patchgen's verdict.
pub fn make_patch(old: &Path, new: &Path, patch: &Path) -> Result<Value> {
    let words = [old, new, Path::new("-o"), patch].map(|word| word.to_string_lossy().into_owned());
    let [old, new, option, patch] = words.each_ref().map(String::as_str);
    json(&patchgen(&["build", old, new, option, patch, "--json"], &[0])?.0.stdout)
}

fn probe(subject: &dyn Subject, live: &dyn Live, version: Version) -> Result<String> {
    let (answer, expected) = (live.probe()?, subject.answer(version));
    ensure!(answer == expected, "the answer is `{answer}`, the {} version's is `{expected}`", version.name());
    Ok(answer)
}

/// Names out of dsuctl's list.
fn names(functions: &Value) -> Vec<String> {
    let functions = functions.as_array().into_iter().flatten();
    functions.filter_map(|function| function["function"].as_str().map(str::to_owned)).collect()
}
