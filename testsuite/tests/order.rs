//! Which versions threads see while updates come as fast as they can: `testsuite/programs/order`.
use std::time::{Duration, Instant};

use anyhow::ensure;
use testsuite::programs::{Consistency, ORDER, Program, Stage};
use testsuite::real::compiler::Flavor;
use testsuite::real::skip::run;

/// Calls that have to be seen, at least.
const CALLS: u64 = 1_000_000;
/// Updates during which they are seen, at least.
const UPDATES: u64 = 150;
/// Every kind of thread: how many of it.
const CAST: [(&str, u32); 10] = [
    ("busy", 2),
    ("jumper", 1),
    ("sleeper", 2),
    ("poller", 1),
    ("waiter", 1),
    ("parent", 1),
    ("signalled", 1),
    ("host", 1),
    ("scheduler", 1),
    ("crowd", 50),
];
/// The versions in an order that has every step from one to another in it.
const TURNS: [u8; 6] = [2, 3, 1, 3, 2, 1];
/// Where a thread can halt in its pass, and how.
const PLACES: [&str; 12] = [
    "before-point",
    "after-point",
    "f-begin",
    "f-middle",
    "f-end",
    "between",
    "in-g",
    "at-bottom",
    "in-compare",
    "in-handler",
    "in-coroutine",
    "before-jump",
];
const WAYS: [&str; 4] = ["read", "condition", "sleeps", "loop"];

fn start_all(stage: &mut Stage) -> anyhow::Result<()> {
    CAST.iter().try_for_each(|(kind, count)| stage.tell(&format!("start {kind} {count}")))
}

#[test]
fn in_newest_no_call_that_starts_after_an_update_runs_older_code_armed() {
    storm(Flavor::Armed);
}

#[test]
fn in_newest_no_call_that_starts_after_an_update_runs_older_code_always() {
    storm(Flavor::Always);
}

fn storm(flavor: Flavor) {
    run(|| {
        let program = Program::build(ORDER, flavor)?;
        let mut stage = Stage::set(&program, Consistency::Newest, &[])?;
        start_all(&mut stage)?;
        let begin = Instant::now();
        let mut updates = 0;
        for version in TURNS.iter().cycle() {
            stage.update(*version)?;
            updates += 1;
            if updates >= UPDATES && stage.counts()?.calls >= CALLS {
                break;
            }
            ensure!(begin.elapsed() < Duration::from_secs(120), "{updates} updates, {:?}", stage.counts()?);
        }
        let rate = f64::from(u32::try_from(updates)?) / begin.elapsed().as_secs_f64();
        stage.tell("stop")?;
        let counts = stage.counts()?;
        println!("{updates} updates, {rate:.0} a second; {counts:?}");
        assert_eq!(counts.late, 0, "{counts:?}");
        // Whole passes are not promised here, and that some are not whole shows that the threads do look.
        assert!(counts.mixed > 0, "{counts:?}");
        stage.end()
    });
}

#[test]
fn a_wrong_version_would_be_noticed() {
    run(|| {
        let program = Program::build(ORDER, Flavor::Armed)?;
        let mut stage = Stage::set(&program, Consistency::Newest, &[])?;
        start_all(&mut stage)?;
        stage.pretend(3, Some(&program.patch(2)))?;
        std::thread::sleep(Duration::from_millis(300));
        let counts = stage.counts()?;
        assert!(counts.late > 0 && counts.complaint.contains("late: version 2"), "{counts:?}");
        stage.tell("stop")?;
        stage.end()
    });
}

/// From version to version under a thread that halts: by a first patch, by one in place of another, and back.
const STEPS: [(u8, u8); 3] = [(1, 2), (2, 3), (3, 1)];

#[test]
fn in_newest_a_halted_thread_goes_on_in_old_code_and_calls_new() {
    run(|| {
        let program = Program::build(ORDER, Flavor::Armed)?;
        let mut stage = Stage::set(&program, Consistency::Newest, &[])?;
        for place in PLACES {
            for way in WAYS {
                for (from, to) in STEPS {
                    stage.tell(&format!("park {place} {way}"))?;
                    stage.update(to)?;
                    let seen = stage.ask("release")?;
                    let [interrupted, log] = &seen[..] else { panic!("{seen:?}") };
                    let case = format!("halted at {place} in {way}, from {from} to {to}: {log}");
                    assert_eq!(interrupted, "interrupted 0", "{case}");
                    let (before, after) = (format!("b{from}"), format!("a{to}"));
                    let right = |call: &str| call == before || call == after || call == "|";
                    assert!(log.split_whitespace().all(right), "{case}");
                    assert!(log.contains(&after) && log.matches('|').count() == 2, "{case}");
                }
            }
        }
        assert_eq!(stage.counts()?.late, 0);
        stage.end()
    });
}

#[test]
fn a_thousand_threads_are_updated_like_one() {
    run(|| {
        let program = Program::build(ORDER, Flavor::Armed)?;
        let mut stage = Stage::set(&program, Consistency::Newest, &[])?;
        stage.tell("start crowd 1000")?;
        for version in TURNS {
            stage.update(version)?;
        }
        stage.update(3)?;
        let before = stage.counts()?.passes;
        while stage.counts()?.passes < before + 2_000 {
            std::thread::sleep(Duration::from_millis(20));
        }
        stage.tell("stop")?;
        let counts = stage.counts()?;
        assert_eq!(counts.late, 0, "{counts:?}");
        stage.end()
    });
}
