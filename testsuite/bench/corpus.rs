//! Consecutive releases: what patchgen makes of each step, and whether a patched process is right.
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use testsuite::corpus::step::{Step, take};
use testsuite::corpus::{names, source, summary};

use crate::progress;
use crate::section::Section;

pub(crate) fn measure(sources: &[String], pairs: usize, steps_file: Option<&Path>) -> Result<Vec<Section>> {
    let all: Vec<String> = names().into_iter().map(str::to_owned).collect();
    let chosen = if sources.is_empty() { &all } else { sources };
    let mut steps = Vec::new();
    let mut command = "dsu-bench corpus".to_owned();
    for name in chosen {
        steps.extend(steps_of(name, pairs)?);
        if !sources.is_empty() {
            command += &format!(" --source {name}");
        }
    }
    if pairs != usize::MAX {
        command += &format!(" --pairs {pairs}");
    }
    if let Some(file) = steps_file {
        let text = serde_json::to_string_pretty(&steps).expect("steps have string keys only");
        fs::write(file, text + "\n").with_context(|| format!("cannot write `{}`", file.display()))?;
    }
    Ok(sections(&steps, &command))
}

/// The tables of steps that earlier runs took.
pub(crate) fn put_together(files: &[PathBuf]) -> Result<Vec<Section>> {
    let mut steps: Vec<Step> = Vec::new();
    for file in files {
        let unreadable = || format!("cannot read `{}` as steps; `--steps` writes such files", file.display());
        let text = fs::read_to_string(file).with_context(unreadable)?;
        steps.extend(serde_json::from_str::<Vec<Step>>(&text).with_context(unreadable)?);
    }
    let mut sources: Vec<&str> = steps.iter().map(|step| &*step.source).collect();
    sources.dedup();
    let command = format!("dsu-bench corpus, of {}", sources.join(", "));
    Ok(sections(&steps, &command))
}

fn steps_of(name: &str, pairs: usize) -> Result<Vec<Step>> {
    let source = source(name)?;
    progress(&format!("{name}: fetching and sorting its versions"));
    let versions = source.versions()?;
    let mut steps = Vec::new();
    for pair in versions.windows(2).rev().take(pairs) {
        progress(&format!("{name}: {} -> {}", pair[0], pair[1]));
        match take(source.as_ref(), &pair[0], &pair[1]) {
            Ok(step) => {
                progress(&format!("{name}: {:?}", step.verdict));
                steps.push(step);
            }
            // An old release that today's compiler does not take is not a step; that is said, and the others go on.
            Err(error) => progress(&format!("{name}: {} -> {} left out: {error:#}", pair[0], pair[1])),
        }
    }
    steps.reverse();
    Ok(steps)
}

fn sections(steps: &[Step], command: &str) -> Vec<Section> {
    let section = |title, note: &str, header: &[&str], rows| Section {
        title,
        command: command.to_owned(),
        note: note.to_owned(),
        header: header.iter().map(ToString::to_string).collect(),
        rows,
    };
    vec![
        section(
            "Steps between releases",
            "Every patch was applied to a running process of the old version, which then did the recorded work as a fresh \
             process of the new version does, and was reverted. Share: of the steps that change code. Accepted: refused, but a \
             patch that works as a fresh process does when a person vouches (`--accept`) that no object is alive between \
             two pieces of work, which is so here.",
            &[
                "source",
                "steps",
                "no change",
                "patched",
                "refused",
                "wrong",
                "share patched",
                "accepted",
                "share with them",
            ],
            summary::by_source(steps),
        ),
        section(
            "Reasons to refuse",
            "A step may have several; `alone` counts those that would be patched but for this one.",
            &["reason", "steps", "of all", "alone", "example"],
            summary::by_reason(steps),
        ),
        section(
            "Each step",
            "Versions are those of the crate that carries the library, or the last patch of a Debian series. Seconds: wall \
             time of `patchgen build`.",
            &["source", "old", "new", "verdict", "changes", "bytes", "seconds"],
            summary::each(steps),
        ),
    ]
}
