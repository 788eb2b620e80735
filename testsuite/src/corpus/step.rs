//! One step from a version to the next.
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Source;
use crate::process::text_of;
use crate::real::command::{dsuctl, dsuctl_ending, json, run};
use crate::tools::Tools;

/// Exit codes of `patchgen`: a patch, no change, refused.
const CODES: [i32; 3] = [0, 3, 4];
/// And: nothing of that name can be accepted.
const CODES_OF_ACCEPTING: [i32; 4] = [0, 1, 3, 4];

/// What patchgen made of a step.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// A patch, and the patched process works as a fresh one does.
    Patched {
        /// Its size.
        bytes: u64,
        /// Functions redirected.
        functions: usize,
        /// Whether the two versions do the recorded work differently.
        visible: bool,
        /// Applied in `newest`, for in `thread`, which the patch asked for, not all threads came by a point in time.
        in_newest: bool,
    },
    /// Nothing that changes code.
    NoChange,
    /// Refused; each reason once, with what it said first.
    Refused {
        /// Reason to message.
        reasons: BTreeMap<String, String>,
        /// What comes of it when a person vouches for all that was refused.
        vouched: Vouched,
    },
    /// A patch that is wrong, or no answer at all.
    Wrong {
        /// What happened.
        message: String,
    },
}

/// A step that is refused, taken nevertheless: `--accept` of each thing that was refused. The process holds no object of
/// its last piece of work then, so a person who knows that may well say so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vouched {
    /// Nobody can vouch for all of it.
    Impossible,
    /// The patched process works as a fresh one does.
    Works,
    /// It does not: whoever had vouched would have been wrong.
    Fails(String),
}

/// A step and what came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    /// The program.
    pub source: String,
    /// The version that runs.
    pub old: String,
    /// The version that shall run.
    pub new: String,
    /// What came of it.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Changes by kind, as patchgen tells them.
    pub changes: BTreeMap<String, usize>,
    /// Wall time of `patchgen build`.
    pub seconds: f64,
}

/// Takes one step. Whatever goes wrong with patch or process is a verdict; an error is what keeps it from being tried.
pub fn take(source: &dyn Source, old: &str, new: &str) -> Result<Step> {
    let builds = [source.build(old)?, source.build(new)?];
    let folder = tempfile::tempdir()?;
    let patch = folder.path().join("step.dsu");
    let mut step = Step {
        source: source.name().to_owned(),
        old: old.to_owned(),
        new: new.to_owned(),
        verdict: Verdict::NoChange,
        changes: BTreeMap::new(),
        seconds: 0.0,
    };
    let (output, time) = match build(&builds, &patch, &[], &CODES) {
        Ok(made) => made,
        Err(error) => return Ok(Step { verdict: Verdict::Wrong { message: format!("{error:#}") }, ..step }),
    };
    let report = json(&output.stdout)?;
    step.seconds = time.as_secs_f64();
    step.changes = changes(&report);
    step.verdict = match output.status.code() {
        Some(0) => match apply(source, &builds[0], &builds[1], folder.path(), &patch) {
            Ok(Worked { visible, in_newest }) => {
                let (bytes, functions) = (std::fs::metadata(&patch)?.len(), redirected(&report));
                Verdict::Patched { bytes, functions, visible, in_newest }
            }
            Err(error) => {
                let said = text_of(&folder.path().join("stderr.txt"));
                Verdict::Wrong { message: format!("{error:#} {said}").trim().to_owned() }
            }
        },
        Some(3) => Verdict::NoChange,
        _ => Verdict::Refused { reasons: reasons(&report)?, vouched: vouched(source, &builds, &report)? },
    };
    Ok(step)
}

/// Takes a refused step on a person's word.
fn vouched(source: &dyn Source, builds: &[PathBuf; 2], report: &Value) -> Result<Vouched> {
    let folder = tempfile::tempdir()?;
    let patch = folder.path().join("step.dsu");
    let subjects: BTreeSet<&str> =
        report["refusals"].as_array().into_iter().flatten().filter_map(|refusal| refusal["subject"].as_str()).collect();
    let because = "no object of it is alive between two pieces of work";
    let accept: Vec<&str> =
        subjects.into_iter().flat_map(|subject| ["--accept", subject, "--because", because]).collect();
    let (output, _) = build(builds, &patch, &accept, &CODES_OF_ACCEPTING)?;
    if output.status.code() != Some(0) {
        return Ok(Vouched::Impossible);
    }
    Ok(match apply(source, &builds[0], &builds[1], folder.path(), &patch) {
        Ok(_) => Vouched::Works,
        Err(error) => Vouched::Fails(format!("{error:#}")),
    })
}

/// Runs `patchgen build --json`.
fn build(builds: &[PathBuf; 2], patch: &Path, more: &[&str], accepted: &[i32]) -> Result<(Output, Duration)> {
    let mut patchgen = Command::new(Tools::find()?.path("patchgen"));
    run(patchgen.arg("build").args(builds).arg("-o").arg(patch).arg("--json").args(more), accepted)
}

/// How a patched process did its work.
struct Worked {
    visible: bool,
    in_newest: bool,
}

/// How long threads may take to move. A library's worker that waits in a function of another unit has no point.
const PATIENCE: &str = "3s";
/// dsuctl's exit code when they took longer.
const TURNED_BACK: i32 = 40;

/// Updates a running `old`; whether its work comes out differently now. It has to come out as that of a fresh `new`,
/// and after a revert as before.
fn apply(source: &dyn Source, old: &Path, new: &Path, folder: &Path, patch: &Path) -> Result<Worked> {
    let other = tempfile::tempdir()?;
    let fresh = source.start(new, other.path())?.work().context("a fresh process of the new version")?;
    let mut live = source.start(old, folder)?;
    let before = live.work().context("the process before its update")?;
    let pid = live.pid().to_string();
    let apply = ["apply", &pid, &patch.to_string_lossy()];
    let (output, _) = dsuctl_ending(folder, &[&apply[..], &["--timeout", PATIENCE]].concat(), &[0, TURNED_BACK])?;
    let in_newest = output.status.code() == Some(TURNED_BACK);
    if in_newest {
        dsuctl(folder, &[&apply[..], &["--consistency", "newest"]].concat())?;
    }
    let updated = live.work().context("the updated process")?;
    same("the updated process", &updated, &fresh)?;
    dsuctl(folder, &["revert", &pid])?;
    same("the reverted process", &live.work().context("the reverted process")?, &before)?;
    Ok(Worked { visible: fresh != before, in_newest })
}

fn same(who: &str, here: &[String], there: &[String]) -> Result<()> {
    let differs = here.iter().zip(there).find(|(here, there)| here != there);
    let lengths = || (format!("{} lines", here.len()), format!("{} lines", there.len()));
    let (here_line, there_line) = differs.map_or_else(lengths, |(here, there)| (here.clone(), there.clone()));
    ensure!(here == there, "{who} says `{here_line}`, a fresh one `{there_line}`");
    Ok(())
}

fn changes(report: &Value) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for change in report["changes"].as_array().into_iter().flatten() {
        *counts.entry(change["kind"].as_str().unwrap_or("other").to_owned()).or_default() += 1;
    }
    counts
}

fn redirected(report: &Value) -> usize {
    report["update_set"].as_array().map_or(0, |set| set.iter().filter(|member| member["redirected"] == true).count())
}

fn reasons(report: &Value) -> Result<BTreeMap<String, String>> {
    let mut reasons = BTreeMap::new();
    for refusal in report["refusals"].as_array().into_iter().flatten() {
        let text = |key: &str| refusal[key].as_str().unwrap_or_default().to_owned();
        reasons.entry(text("reason")).or_insert_with(|| format!("`{}`: {}", text("subject"), text("message")));
    }
    ensure!(!reasons.is_empty(), "refused without a reason");
    Ok(reasons)
}
