//! One test from start to end, and the list of all of them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use libtest_mimic::{Failed, Trial};

use crate::build::{Flavour, Once, Plain, Scene};
use crate::case::{self, Case};
use crate::config::{Config, Consistency, Dispatch};
use crate::process::Transcript;
use crate::tools::{Tools, skips_allowed};
use crate::{expectation, oracle, script};

/// A test per case, config and dispatch that matters, of each consistency in turn; `work` is where they build.
///
/// # Errors
/// When the cases cannot be listed or the tools are not there.
pub fn trials(work: &Path) -> Result<Vec<Trial>> {
    let tools = Arc::new(Tools::find()?);
    let mut trials = Vec::new();
    for (name, case) in case::discover(&case::root())? {
        match case {
            Ok(case) => trials.extend(trials_of(&Arc::new(case), &tools, work)),
            Err(error) => trials.push(Trial::test(name, move || Err(Failed::from(format!("{error:#}"))))),
        }
    }
    Ok(trials)
}

fn trials_of(case: &Arc<Case>, tools: &Arc<Tools>, work: &Path) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (index, config) in case.configs.iter().enumerate() {
        let name = format!("{}/{}", case.name, config.name);
        let is_new = !case.configs[..index].iter().any(|earlier| earlier.builds_like(config));
        let plain = Arc::new(Plain::new(work.join(format!("{}-plain", name.replace('/', ".")))));
        for (nth, &dispatch) in config.dispatches().iter().enumerate() {
            let name = format!("{name}-{}", dispatch.name());
            let root = work.join(name.replace('/', "."));
            let missing: Vec<_> = config.requires.iter().filter(|need| !available(need)).cloned().collect();
            let (case, tools, plain) = (Arc::clone(case), Arc::clone(tools), Arc::clone(&plain));
            let run = move || {
                let once = Once { in_build: is_new && nth == 0, in_config: nth == 0, plain: &plain };
                test(&tools, &case, &case.configs[index], dispatch, once, root)
            };
            let fail = format!("skipped for want of {}, and `DSU_TEST_ALLOW_SKIP=0` forbids it", missing.join(", "));
            trials.push(match (missing.is_empty(), skips_allowed()) {
                (true, _) => Trial::test(name, run),
                (false, true) => Trial::test(name, run).with_ignored_flag(true),
                (false, false) => Trial::test(name, || Err(Failed::from(fail))),
            });
        }
    }
    trials
}

/// Whether the machine has what a case requires.
fn available(need: &str) -> bool {
    let said = |program: &str, args: &[&str]| {
        Command::new(program).args(args).output().is_ok_and(|output| output.status.success())
    };
    match need {
        "root" => Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n"),
        // PR_SET_MDWE came with Linux 6.3.
        "mdwe" => kernel().is_some_and(|version| version >= (6, 3)),
        "avx2" => std::fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.contains(" avx2 ")),
        program => said("sh", &["-c", &format!("command -v {program}")]),
    }
}

fn kernel() -> Option<(u32, u32)> {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    let mut numbers = release.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn test(
    tools: &Tools,
    case: &Case,
    config: &Config,
    dispatch: Dispatch,
    once: Once<'_>,
    root: PathBuf,
) -> Result<(), Failed> {
    let transcript = Transcript::default();
    let mut scene = Scene { tools, case, config, dispatch, consistency: None, once, root, transcript };
    scene.clear();
    match all_of_it(&mut scene) {
        Ok(()) => {
            // What a failed test built is kept for whoever looks into it.
            scene.clear();
            Ok(())
        }
        Err(error) => Err(Failed::from(format!("{error:#}\n\nto run it again:\n{}\n", scene.transcript.text()))),
    }
}

/// Builds once, and lets the script run on that build once for each consistency.
fn all_of_it(scene: &mut Scene<'_>) -> Result<()> {
    for version in scene.config.versions() {
        scene.build(Flavour::Dsu, &version)?;
    }
    if scene.once.in_build {
        scene.build(Flavour::Again, "v1")?;
    }
    expectation::check_build(scene)?;
    let mut says_thread = true;
    for version in scene.config.versions().iter().filter(|version| *version != "v1") {
        let says = expectation::check_patch(scene, version)?;
        says_thread &= says == Some(Consistency::Thread);
    }
    oracle::build(scene)?;
    // As the patches say and in `thread` are one where they say just that.
    let all = scene.config.consistencies();
    let consistencies = if says_thread && all.len() > 1 { &all[..1] } else { all };
    if consistencies.len() > 1 {
        scene.keep()?;
    }
    for (index, &consistency) in consistencies.iter().enumerate() {
        if index > 0 {
            scene.restore()?;
        }
        scene.consistency = consistency;
        run(scene).with_context(|| format!("consistency {}", consistency.map_or("of the patch", Consistency::name)))?;
    }
    Ok(())
}

fn run(scene: &Scene<'_>) -> Result<()> {
    // Short, because the path of a socket must be.
    let run_dir = tempfile::Builder::new().prefix("dsu-").tempdir().context("failed to make a folder for sockets")?;
    let exchanges = script::run(scene, run_dir.path())?;
    if scene.config.stale_socket.is_some() {
        ensure!(!case::files(run_dir.path())?.is_empty(), "`StaleSocket`, but the process removed its socket");
        let mut command = Command::new(scene.tools.path("dsuctl"));
        scene.transcript.must(command.arg("ps").env("DSU_RUNTIME_DIR", run_dir.path()))?;
    }
    let left = case::files(run_dir.path())?;
    ensure!(left.is_empty(), "the process left in its runtime directory: {}", left.join(", "));
    oracle::check(scene, &exchanges)
}
