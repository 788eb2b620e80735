//! Which versions threads see while updates come as fast as they can: `testsuite/programs/order`.
use std::time::{Duration, Instant};

use anyhow::ensure;
use testsuite::programs::{Consistency, ORDER, Program, Stage};
use testsuite::real::compiler::Flavor;
use testsuite::real::skip::run;

/// Calls that have to be seen, at least.
const CALLS: u64 = 1_000_000;
/// Updates during which they are seen, at least, in `newest` and in `thread`, which waits for every thread.
const UPDATES: [u64; 2] = [150, 50];
/// The longest that may take, on a busy machine.
const LIMIT: Duration = Duration::from_secs(300);
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
    storm(Flavor::Armed, Consistency::Newest);
}

#[test]
fn in_newest_no_call_that_starts_after_an_update_runs_older_code_always() {
    storm(Flavor::Always, Consistency::Newest);
}

#[test]
fn in_thread_no_pass_sees_two_versions_armed() {
    storm(Flavor::Armed, Consistency::Thread);
}

#[test]
fn in_thread_no_pass_sees_two_versions_always() {
    storm(Flavor::Always, Consistency::Thread);
}

fn storm(flavor: Flavor, consistency: Consistency) {
    run(|| {
        let program = Program::build(ORDER, flavor)?;
        let rule = if consistency == Consistency::Thread { &["one-version"][..] } else { &[] };
        let mut stage = Stage::set(&program, consistency, rule)?;
        start_all(&mut stage)?;
        let begin = Instant::now();
        let mut updates = 0;
        for version in TURNS.iter().cycle() {
            stage.update(*version)?;
            updates += 1;
            if updates >= UPDATES[usize::from(consistency == Consistency::Thread)] && stage.counts()?.calls >= CALLS {
                break;
            }
            ensure!(begin.elapsed() < LIMIT, "{updates} updates, {:?}", stage.counts()?);
        }
        let rate = f64::from(u32::try_from(updates)?) / begin.elapsed().as_secs_f64();
        stage.tell("stop")?;
        let counts = stage.counts()?;
        println!("{updates} updates, {rate:.0} a second; {counts:?}");
        assert_eq!(counts.late, 0, "{counts:?}");
        match consistency {
            // Whole passes are not promised here, and that some are not whole shows that the threads do look.
            Consistency::Newest => assert!(counts.mixed > 0, "{counts:?}"),
            Consistency::Thread => assert_eq!(counts.mixed, 0, "{counts:?}"),
        }
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

/// What a thread saw that halted at a place while an update was made, and then went on to the end of its second pass.
struct Seen {
    /// The calls of its passes, `b` before and `a` after the halt, with the version.
    passes: Vec<String>,
    case: String,
}

/// Every place, way and step.
fn halt_everywhere(consistency: Consistency, check: impl Fn(&Seen, (u8, u8), &str)) {
    run(|| {
        let program = Program::build(ORDER, Flavor::Armed)?;
        let mut stage = Stage::set(&program, consistency, &[])?;
        for place in PLACES {
            for way in WAYS {
                for (from, to) in STEPS {
                    stage.tell(&format!("park {place} {way}"))?;
                    stage.begin(to)?;
                    let reply = stage.ask("release")?;
                    let [interrupted, log] = &reply[..] else { panic!("{reply:?}") };
                    let case = format!("halted at {place} in {way}, from {from} to {to}: {log}");
                    assert_eq!(interrupted, "interrupted 0", "{case}");
                    let passes: Vec<_> = log.split('|').map(|pass| pass.trim().to_owned()).collect();
                    assert!(passes.len() == 3 && passes[1].matches('a').count() > 20, "{case}");
                    check(&Seen { passes, case }, (from, to), place);
                    stage.settle()?;
                }
            }
        }
        assert_eq!(stage.counts()?.late, 0);
        stage.end()
    });
}

/// Whether all of a pass's calls are one of these.
fn only(pass: &str, calls: &[String]) -> bool {
    pass.split_whitespace().all(|call| calls.iter().any(|one| one == call))
}

#[test]
fn in_newest_a_halted_thread_goes_on_in_old_code_and_calls_new() {
    halt_everywhere(Consistency::Newest, |seen, (from, to), _place| {
        let calls = [format!("b{from}"), format!("a{to}")];
        assert!(seen.passes.iter().all(|pass| only(pass, &calls)), "{}", seen.case);
    });
}

#[test]
fn in_thread_a_halted_thread_stays_in_one_version_from_point_to_point() {
    halt_everywhere(Consistency::Thread, |seen, (from, to), place| {
        let (old, new) = ([format!("b{from}"), format!("a{from}")], [format!("a{to}")]);
        // A point may come before the runtime knows where the thread's stack is: then a later one counts.
        let first_is_old = only(&seen.passes[0], &old);
        let first_is_new = place == "before-point" && only(&seen.passes[0], &new);
        assert!(first_is_old || first_is_new, "{}", seen.case);
        let second_is_old = first_is_old && only(&seen.passes[1], &old);
        assert!(second_is_old || only(&seen.passes[1], &new), "{}", seen.case);
    });
}

/// Updates one after the other, of which each ends before the next begins: the stubs of the first, or of the one before
/// it, serve the last one, too.
const THROUGH: [[u8; 3]; 4] = [[1, 2, 1], [1, 2, 3], [2, 3, 1], [3, 1, 2]];

#[test]
fn in_thread_a_thread_halted_in_a_stub_goes_where_the_stub_has_sent_it() {
    run(|| {
        for flavor in [Flavor::Armed, Flavor::Always] {
            let program = Program::build(ORDER, flavor)?;
            let mut stage = Stage::set(&program, Consistency::Thread, &[])?;
            let mut now = 1;
            for way in ["read", "loop"] {
                for [from, through, to] in THROUGH {
                    if now != from {
                        stage.update(from)?;
                    }
                    stage.tell("hold f-middle loop")?;
                    stage.begin(through)?;
                    // Born during the update, so it has moved: the stub decides for the newer version.
                    stage.tell(&format!("park in-stub {way}"))?;
                    stage.ask("let-go")?;
                    stage.settle()?;
                    stage.begin(to)?;
                    let reply = stage.ask("release")?;
                    let log = reply.last().cloned().unwrap_or_default();
                    let case = format!("in {way}, from {from} through {through} to {to}: {log}");
                    let first = log.split('|').next().unwrap_or_default();
                    let calls = [format!("b{through}"), format!("a{through}")];
                    assert!(first.matches('a').count() > 20 && only(first, &calls), "{case}");
                    stage.settle()?;
                    now = to;
                }
            }
            assert_eq!(stage.counts()?.late, 0);
            stage.end()?;
        }
        Ok(())
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
