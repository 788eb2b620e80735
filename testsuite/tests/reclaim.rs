//! Old code is taken away when nothing can return into it, and not before: `testsuite/programs/order`.
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use testsuite::churn::resident_kib;
use testsuite::programs::{Consistency, ORDER, Program, Stage};
use testsuite::real::compiler::Flavor;
use testsuite::real::skip::run;

/// Places inside changed code.
const INSIDE: [&str; 9] =
    ["f-begin", "f-middle", "f-end", "in-g", "at-bottom", "in-compare", "in-handler", "in-coroutine", "before-jump"];
/// How long code has to stay for a thread that is inside.
const STAYS: Duration = Duration::from_millis(150);

/// Whether the code of the patch to `version` can be run.
fn can_run(stage: &Stage, version: u8) -> Result<bool> {
    Ok(stage.mappings(version)?.iter().any(|protection| protection.contains('x')))
}

/// Waits until it cannot; then it is there no more for reading either, and the data still is.
fn wait_until_gone(stage: &Stage, version: u8) -> Result<()> {
    let begin = Instant::now();
    while can_run(stage, version)? {
        ensure!(begin.elapsed() < Duration::from_secs(30), "version {version} stays: {:#}", stage.status()?);
        std::thread::sleep(Duration::from_millis(5));
    }
    let protections = stage.mappings(version)?;
    ensure!(protections.iter().any(|protection| protection == "---p"), "not reserved: {protections:?}");
    ensure!(protections.iter().any(|protection| protection.starts_with('r')), "no data: {protections:?}");
    Ok(())
}

fn goes_and_comes(consistency: Consistency) {
    run(|| {
        let program = Program::build(ORDER, Flavor::Armed)?;
        let mut stage = Stage::set(&program, consistency, &[])?;
        for (kind, count) in [("sleeper", 2), ("jumper", 1), ("parent", 1), ("scheduler", 1), ("signalled", 1)] {
            stage.tell(&format!("start {kind} {count}"))?;
        }
        for _ in 0..5 {
            for (version, former) in [(2, None), (3, Some(2)), (1, Some(3))] {
                stage.update(version)?;
                ensure!(version == 1 || can_run(&stage, version)?, "version {version} cannot run");
                former.map_or(Ok(()), |former| wait_until_gone(&stage, former))?;
            }
            let status = stage.status()?;
            assert_eq!((&status["code_bytes"], &status["reclaimed"]), (&0.into(), &status["images"]), "{status:#}");
            assert!(status["data_bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{status:#}");
        }
        stage.tell("stop")?;
        assert_eq!(stage.counts()?.late, 0);
        stage.end()
    });
}

#[test]
fn code_goes_after_an_update_and_comes_back_with_the_patch_in_newest() {
    goes_and_comes(Consistency::Newest);
}

#[test]
fn code_goes_after_an_update_and_comes_back_with_the_patch_in_thread() {
    goes_and_comes(Consistency::Thread);
}

#[test]
fn code_stays_as_long_as_a_thread_is_inside() {
    run(|| {
        let program = Program::build(ORDER, Flavor::Armed)?;
        let mut stage = Stage::set(&program, Consistency::Newest, &[])?;
        for place in INSIDE {
            for way in ["read", "loop"] {
                stage.update(2)?;
                stage.tell(&format!("park {place} {way}"))?;
                stage.update(1)?;
                let begin = Instant::now();
                while begin.elapsed() < STAYS {
                    assert!(can_run(&stage, 2)?, "taken from under a thread that halts at {place} in {way}");
                    std::thread::sleep(Duration::from_millis(10));
                }
                stage.ask("release")?;
                wait_until_gone(&stage, 2)?;
            }
        }
        assert_eq!(stage.counts()?.late, 0);
        stage.end()
    });
}

#[test]
fn memory_stays_flat_while_code_comes_and_goes() {
    run(|| {
        let program = Program::build(ORDER, Flavor::Armed)?;
        let mut stage = Stage::set(&program, Consistency::Newest, &[])?;
        stage.tell("start sleeper 2")?;
        let mut settled = (0, 0);
        for round in 0..120 {
            for version in [2, 3, 1] {
                stage.update(version)?;
            }
            let mappings = stage.mappings(2)?.len() + stage.mappings(3)?.len();
            let now = (resident_kib(stage.pid())?, mappings);
            if round == 40 {
                settled = now;
            }
            assert!(round <= 40 || now.1 == settled.1, "{now:?} mappings after round {round}, {settled:?} after 40");
        }
        let last = resident_kib(stage.pid())?;
        assert!(last as f64 <= settled.0 as f64 * 1.02, "{last} KiB, {} after 40 rounds", settled.0);
        stage.tell("stop")?;
        stage.end()
    });
}
