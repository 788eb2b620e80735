//! What plugin and patchgen must have said: sections, functions left alone, change set, update set, refusals.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::build::{Flavour, Scene};
use crate::config::Consistency;
use crate::process::{Outcome, text_of};

/// Exit codes of patchgen.
const WRITTEN: i32 = 0;
const NO_CHANGE: i32 = 3;
const REFUSED: i32 = 4;
/// Reasons that only linking the patch brings to light: `diff` does not link.
const WHEN_LINKED: [&str; 3] = ["unresolved-symbol", "library-missing", "unsupported-relocation"];

/// Where the patch from v1 to `version` is.
pub fn patch_file(scene: &Scene<'_>, version: &str) -> PathBuf {
    scene.root.join(format!("{version}.dsu"))
}

/// What must hold for the instrumented v1 alone: its sections and what was left alone in it; and, once for
/// each way to build it, that a second build of it is no change.
///
/// # Errors
/// When it does not hold.
pub fn check_build(scene: &Scene<'_>) -> Result<()> {
    let expect = &scene.config.expect;
    if !expect.sections.is_empty() || !expect.no_sections.is_empty() {
        let present = sections(scene)?;
        for name in &expect.sections {
            ensure!(present.contains(name), "section `{name}` is missing; there are {present:?}");
        }
        for name in &expect.no_sections {
            ensure!(!present.contains(name), "section `{name}` is there");
        }
    }
    let log = text_of(&scene.log("v1"));
    for (function, reason) in &expect.skipped {
        let told = |line: &str| line.contains(&format!("`{function}`")) && line.contains(reason);
        ensure!(log.lines().any(told), "the log says nowhere that `{function}` was left alone: {reason}\n{log}");
    }
    if !scene.once.in_build {
        return Ok(());
    }
    let outcome = patchgen(scene, &["diff"], scene.module(Flavour::Again, "v1"), &["--json"])?;
    ensure!(outcome.code == Some(NO_CHANGE), "two builds of v1 differ: {}", outcome.said());
    Ok(())
}

/// What patchgen must say about v1 -> `version`; leaves the patch in [`patch_file`] unless it is to be refused. The
/// consistency that the patch asks for, if there is one.
///
/// # Errors
/// When it says otherwise.
pub fn check_patch(scene: &Scene<'_>, version: &str) -> Result<Option<Consistency>> {
    let expect = &scene.config.expect;
    let new = scene.module(Flavour::Dsu, version);
    let patch = patch_file(scene, version);
    let out = ["-o", &*patch.to_string_lossy(), "--json"];
    let outcome = patchgen(scene, &["build"], new.clone(), &out)?;
    let verdict = parse(&outcome)?;
    if version == "v2" {
        check_sets(scene, &verdict)?;
    }
    let (code, name) = match () {
        () if expect.no_change => (NO_CHANGE, "no-change"),
        () if expect.refuses() => (REFUSED, "refused"),
        () => (WRITTEN, "apply"),
    };
    ensure!(outcome.code == Some(code) && verdict["verdict"] == name, "expected {name}, got {}", outcome.said());
    ensure!(
        patch.exists() == (code == WRITTEN),
        "patch file: there is {}one",
        if code == WRITTEN { "not " } else { "" }
    );
    if scene.once.in_config {
        same_verdict_of_diff(scene, new, &outcome, &verdict)?;
    }
    let consistency = if code == WRITTEN { round_trips(scene, version, &verdict)? } else { None };
    if expect.said.is_empty() {
        return Ok(consistency);
    }
    let human = patchgen(scene, &["build"], scene.module(Flavour::Dsu, version), &out[..2])?;
    for fragment in &expect.said {
        ensure!(human.said().contains(fragment), "patchgen does not say `{fragment}`: {}", human.said());
    }
    Ok(consistency)
}

fn check_sets(scene: &Scene<'_>, verdict: &Value) -> Result<()> {
    let expect = &scene.config.expect;
    if let Some(changed) = &expect.changed {
        let all: Vec<_> = entries(verdict, "changes")?;
        let with_kind = |wanted: &String| wanted.ends_with(')');
        let form = |e: &Value, kind: bool| {
            if kind { format!("{}({})", text(e, "name"), text(e, "kind")) } else { text(e, "name").to_string() }
        };
        for wanted in changed {
            let found = all.iter().any(|e| form(e, with_kind(wanted)) == *wanted);
            ensure!(found, "`{wanted}` is not in the change set: {verdict:#}");
        }
        let extra = all.iter().find(|e| !changed.iter().any(|w| form(e, with_kind(w)) == *w));
        ensure!(extra.is_none(), "{} is in the change set of {verdict:#}", extra.expect("just seen"));
    }
    if let Some(closure) = &expect.closure {
        let found: BTreeSet<_> =
            entries(verdict, "update_set")?.iter().map(|e| text(e, "function").to_string()).collect();
        let wanted: BTreeSet<_> = closure.iter().map(|(function, _)| function.clone()).collect();
        ensure!(found == wanted, "the update set is {found:?}, not {wanted:?}: {verdict:#}");
        for (function, reason) in closure {
            let Some(reason) = reason else { continue };
            let given = |e: &Value| text(e, "function") == function && text(e, "reason").contains(reason);
            ensure!(
                entries(verdict, "update_set")?.iter().any(given),
                "`{function}` is not in for `{reason}`: {verdict:#}"
            );
        }
    }
    for (reason, fragment) in &expect.refused {
        let given = |e: &&Value| text(e, "reason") == reason && e.to_string().contains(fragment);
        let refusals = entries(verdict, "refusals")?;
        let Some(refusal) = refusals.iter().find(given) else {
            bail!("not refused for `{reason}` with `{fragment}`: {verdict:#}");
        };
        for part in ["subject", "message", "way_out"] {
            ensure!(!text(refusal, part).is_empty(), "the refusal lacks its {part}: {refusal}");
        }
    }
    Ok(())
}

/// `diff` and `build` are two doors to one decision.
fn same_verdict_of_diff(scene: &Scene<'_>, new: PathBuf, build: &Outcome, verdict: &Value) -> Result<()> {
    let diff = patchgen(scene, &["diff"], new, &["--json"])?;
    let said = parse(&diff)?;
    let linked = |refusal: &Value| WHEN_LINKED.contains(&text(refusal, "reason"));
    if said["verdict"] == "apply" && entries(verdict, "refusals")?.iter().any(linked) {
        return Ok(());
    }
    ensure!(diff.code == build.code, "build exits with {:?}, diff with {}", build.code, diff.said());
    for part in ["changes", "update_set", "refusals"] {
        ensure!(said[part] == verdict[part], "diff and build disagree about {part}: {said:#} {verdict:#}");
    }
    Ok(())
}

/// What was written is what a reader gets: `inspect` names the update set that `build` decided on. And the consistency of
/// the patch.
fn round_trips(scene: &Scene<'_>, version: &str, verdict: &Value) -> Result<Option<Consistency>> {
    let mut command = Command::new(scene.tools.path("patchgen"));
    let outcome = scene.transcript.must(command.arg("inspect").arg(patch_file(scene, version)).arg("--json"))?;
    let inspected = parse(&outcome)?;
    let set = |value: &Value| -> Result<BTreeSet<(String, String)>> {
        let pairs = entries(value, "update_set")?.into_iter();
        Ok(pairs.map(|e| (text(&e, "function").to_string(), text(&e, "reason").to_string())).collect())
    };
    let (read, built) = (set(&inspected)?, set(verdict)?);
    ensure!(read == built, "inspect shows another update set than build: {inspected:#} {verdict:#}");
    Ok(Consistency::from_name(text(&inspected, "consistency")).ok())
}

fn patchgen(scene: &Scene<'_>, verb: &[&str], new: PathBuf, options: &[&str]) -> Result<Outcome> {
    let mut command = Command::new(scene.tools.path("patchgen"));
    scene.transcript.run(command.args(verb).arg(scene.module(Flavour::Dsu, "v1")).arg(new).args(options))
}

fn parse(outcome: &Outcome) -> Result<Value> {
    serde_json::from_str(&outcome.stdout).with_context(|| format!("not JSON: {}", outcome.said()))
}

fn entries(value: &Value, field: &str) -> Result<Vec<Value>> {
    value[field].as_array().cloned().with_context(|| format!("no `{field}` in {value:#}"))
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// Names of the sections of the instrumented v1 that are not empty.
fn sections(scene: &Scene<'_>) -> Result<BTreeSet<String>> {
    let mut command = Command::new("readelf");
    let outcome = scene.transcript.must(command.args(["-SW"]).arg(scene.module(Flavour::Dsu, "v1")))?;
    let name_and_size = |line: &str| -> Option<(String, u64)> {
        let (_number, rest) = line.trim_start().strip_prefix('[')?.split_once(']')?;
        let fields: Vec<_> = rest.split_ascii_whitespace().collect();
        Some((fields.first()?.to_string(), u64::from_str_radix(fields.get(4)?, 16).ok()?))
    };
    Ok(outcome.stdout.lines().filter_map(name_and_size).filter(|(_, size)| *size > 0).map(|(name, _)| name).collect())
}
