//! How dsuctl follows an update: waits, shows, gives up, and tells who is late.

use std::time::{Duration, Instant};

use dsu_abi::wire::{Apply, ConsistencyOverride, Done, Packet, ProcessStatus, Revert, TransitionStatus};
use rustix::process::{Pid, Signal, kill_process};

use crate::fake::{Asked, BEGUN, Fake, MOVING, PLAIN, json, said, status, status_of};

/// A runtime whose threads have moved once it was asked `looks` times.
fn moves_after(looks: usize) -> Fake {
    Fake::new(move |asked, checksum| match asked {
        Asked::Status(look) if look < looks => status(Some(MOVING), &[]),
        Asked::Status(_) => status(None, &[("fix", checksum, 1)]),
        _ => vec![Packet::Done(Done { checksum, ..BEGUN })],
    })
}

/// A runtime that turns the update back once it was asked `looks` times.
fn turns_back_after(looks: usize) -> Fake {
    Fake::new(move |asked, checksum| match asked {
        Asked::Status(look) if look < looks => status(Some(MOVING), &[]),
        Asked::Status(look) if look == looks => status(Some(TransitionStatus { cancelled: true, ..MOVING }), &[]),
        Asked::Status(_) => status(None, &[]),
        _ => vec![Packet::Done(Done { checksum, ..BEGUN })],
    })
}

#[test]
fn apply_returns_when_the_last_thread_has_moved_and_says_how_long_it_took() {
    let fake = moves_after(3);
    let (code, text, error) = fake.run("apply PID PATCH");
    assert_eq!((code, error.as_str()), (0, ""));
    let last = text.lines().last().expect("it says something");
    assert!(last.starts_with("all 2 threads moved, the last after "), "{text}");
    assert_eq!(fake.asked(), [Asked::Apply(PLAIN)]);
    let document = json(&fake.run("apply PID PATCH --json").1);
    assert_eq!((&document["complete"], &document["consistency"]), (&true.into(), &"thread".into()));
    assert!(moves_after(1).run("apply PID PATCH").1.contains("moved, the last after"));
}

#[test]
fn the_time_is_that_of_the_last_thread_not_of_the_last_look() {
    let fake = moves_after(2);
    let document = json(&fake.run("apply PID PATCH --json").1);
    // In transition for 40 ms when last seen; its threads say that they moved 3 ms before the next look.
    let took = Duration::from_nanos(document["took_ns"].as_u64().expect("a number"));
    assert!(took >= Duration::from_millis(40), "{took:?}");
}

#[test]
fn a_timeout_goes_to_the_runtime_and_its_turning_back_has_a_code_of_its_own() {
    let fake = turns_back_after(6);
    let (code, text, error) = fake.run("apply PID PATCH --timeout 1ms --consistency thread --json");
    assert_eq!((code, error.lines().count()), (40, 1), "{error}");
    for words in ["cancelled patch `fix` after 1ms", "1 of 2 threads", "`worker` (71): inside `parse` (a.c:12)"] {
        assert!(error.contains(words), "`{words}` is missing: {error}");
    }
    let document = json(&text);
    assert_eq!((&document["turned_back"], &document["waiting"][0]["id"]), (&true.into(), &71.into()));
    let request = Apply { consistency: ConsistencyOverride::Thread, timeout_ms: 1, queue: false };
    assert_eq!(fake.asked(), [Asked::Apply(request)]);
}

#[test]
fn threads_that_are_long_in_going_back_are_not_waited_for() {
    let fake = Fake::new(|asked, checksum| match asked {
        Asked::Status(0) => status(Some(MOVING), &[]),
        Asked::Status(_) => status(Some(TransitionStatus { cancelled: true, ..MOVING }), &[]),
        _ => vec![Packet::Done(Done { checksum, ..BEGUN })],
    });
    let (code, _, error) = fake.run("apply PID PATCH --timeout 1ms");
    assert!(code == 40 && error.contains("still going back"), "{error}");
}

#[test]
fn an_update_that_somebody_reverts_is_not_called_done() {
    let (code, text, error) = turns_back_after(2).run("apply PID PATCH");
    assert_eq!((code, text.as_str()), (40, ""));
    assert!(error.contains("somebody reverted it") && error.contains("inside `parse`"), "{error}");
}

#[test]
fn without_waiting_it_returns_at_the_commit() {
    let fake = moves_after(usize::MAX);
    let begin = Instant::now();
    let (code, text, _) = fake.run("apply PID PATCH --no-wait --queue --consistency newest --timeout 2min");
    assert!(begin.elapsed() < Duration::from_secs(5) && code == 0);
    assert!(text.contains("its threads move one by one; `dsuctl status "), "{text}");
    let request = Apply { consistency: ConsistencyOverride::Newest, timeout_ms: 120_000, queue: true };
    assert_eq!(fake.asked(), [Asked::Apply(request)]);
}

#[test]
fn ctrl_c_ends_the_wait_and_not_the_update() {
    let fake = moves_after(usize::MAX);
    let child = fake.start("apply PID PATCH");
    std::thread::sleep(Duration::from_millis(300));
    kill_process(Pid::from_child(&child), Signal::INT).expect("our child");
    let (code, _, error) = said(&child.wait_with_output().expect("our child"));
    assert_eq!((code, error.lines().count()), (130, 1), "{error}");
    for words in ["goes on", "dsuctl status", "--watch", "dsuctl revert"] {
        assert!(error.contains(words), "`{words}` is missing: {error}");
    }
    assert_eq!(fake.asked(), [Asked::Apply(PLAIN)], "nothing is taken back");
}

#[test]
fn a_terminal_shows_how_many_threads_have_moved_and_who_has_not() {
    let (code, shown) = moves_after(8).run_on_a_terminal("apply PID PATCH");
    assert_eq!(code, 0);
    assert!(shown.contains("1 of 2 threads moved after "), "{shown:?}");
    assert!(shown.contains("waiting for `worker` (71): inside `parse` (a.c:12)"), "{shown:?}");
}

#[test]
fn a_queued_update_is_waited_for_and_left_in_the_queue_by_ctrl_c() {
    let fake = Fake::new(|asked, checksum| match asked {
        Asked::Status(_) => status(None, &[("fix", checksum, 1)]),
        _ => {
            // Longer than dsuctl looks at an answer's first packet without doing something else.
            std::thread::sleep(Duration::from_millis(700));
            vec![Packet::Done(Done { checksum, ..BEGUN })]
        }
    });
    let (code, text, error) = fake.run("apply PID PATCH --queue");
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(text.contains("all 2 threads moved"), "{text}");
    let child = fake.start("apply PID PATCH --queue");
    std::thread::sleep(Duration::from_millis(300));
    kill_process(Pid::from_child(&child), Signal::INT).expect("our child");
    let (code, _, error) = said(&child.wait_with_output().expect("our child"));
    assert!(code == 130 && error.contains("stays queued"), "{error}");
}

#[test]
fn an_update_is_over_when_the_next_one_has_begun() {
    let fake = Fake::new(|asked, checksum| match asked {
        Asked::Status(0) => status(Some(MOVING), &[]),
        Asked::Status(_) => {
            status(Some(TransitionStatus { from: 1, to: 2, ..MOVING }), &[("next", [2; 32], 2), ("fix", checksum, 1)])
        }
        _ => vec![Packet::Done(Done { checksum, ..BEGUN })],
    });
    assert_eq!(fake.run("apply PID PATCH").0, 0);
}

#[test]
fn a_process_that_became_another_program_is_not_waited_for() {
    let fake = Fake::new(|asked, checksum| match asked {
        Asked::Status(0) => status(Some(MOVING), &[]),
        Asked::Status(_) => {
            vec![Packet::Process(ProcessStatus { pid: 0, generation: 0, images: 0, reclaimed: 0, code: 0, data: 0 })]
        }
        _ => vec![Packet::Done(Done { checksum, ..BEGUN })],
    });
    let (code, _, error) = fake.run("apply PID PATCH");
    assert_eq!(code, 10, "{error}");
    assert!(error.contains("exec"), "{error}");
}

/// A runtime with patch `b` over `a`, that is back at `a` once it was asked twice.
fn reverts() -> Fake {
    Fake::new(|asked, checksum| match asked {
        Asked::Status(0 | 1) => {
            let patches = [("b", checksum, 2), ("a", [1; 32], 1)];
            status(Some(TransitionStatus { from: 2, to: 3, ..MOVING }), &patches)
        }
        Asked::Status(_) => status_of(3, None, &[("a", [1; 32], 1)]),
        _ => vec![Packet::Done(Done { patch: "", generation: 3, ..BEGUN })],
    })
}

#[test]
fn revert_waits_too_and_says_where_it_is_back_at() {
    let fake = reverts();
    let (code, text, error) = fake.run("revert PID --timeout 3s");
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(text.contains("back at patch `a`, generation 3") && text.contains("all 2 threads moved"), "{text}");
    assert_eq!(fake.asked(), [Asked::Revert(Revert { to_base: false, timeout_ms: 3000 })]);
    let fake = reverts();
    assert_eq!(fake.run("revert PID --all --no-wait").0, 0);
    assert_eq!(fake.asked(), [Asked::Revert(Revert { to_base: true, timeout_ms: 0 })]);
}

#[test]
fn reverting_an_update_on_its_way_waits_until_its_threads_are_back() {
    let fake = Fake::new(|asked, _| match asked {
        Asked::Status(0 | 1) => {
            status(Some(TransitionStatus { from: 1, to: 2, cancelled: true, ..MOVING }), &[("a", [1; 32], 1)])
        }
        Asked::Status(_) => status(None, &[("a", [1; 32], 1)]),
        _ => vec![Packet::Done(Done { patch: "", generation: 1, ..BEGUN })],
    });
    let (code, text, error) = fake.run("revert PID");
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(text.contains("back at patch `a`, generation 1") && text.contains("all 2 threads moved"), "{text}");
}

#[test]
fn a_revert_that_its_timeout_cancelled_is_not_called_done() {
    let fake = Fake::new(|asked, checksum| {
        let moving = TransitionStatus { from: 1, to: 2, ..MOVING };
        let patches = [("fix", checksum, 1)];
        match asked {
            Asked::Status(0..3) => status(Some(moving), &patches),
            Asked::Status(3) => status(Some(TransitionStatus { cancelled: true, ..moving }), &patches),
            Asked::Status(_) => status(None, &patches),
            _ => vec![Packet::Done(Done { patch: "", generation: 2, ..BEGUN })],
        }
    });
    let (code, _, error) = fake.run("revert PID --timeout 1ms");
    assert_eq!(code, 40, "{error}");
    assert!(error.contains("cancelled the revert after 1ms") && error.contains("inside `parse`"), "{error}");
}

#[test]
fn status_shows_the_update_its_threads_the_patches_and_the_memory() {
    let fake = Fake::new(|_, checksum| {
        let moving = TransitionStatus { from: 1, to: 2, timeout_ms: 5000, queued: true, ..MOVING };
        status(Some(moving), &[("b", checksum, 2), ("a", [1; 32], 1)])
    });
    let (_, text, _) = fake.run("status PID");
    for words in [
        "from generation 1 to 2: 1 of 2 threads moved after 40ms, cancelled after 5s; another update is queued",
        "inside `parse` (a.c:12)",
        "2 patch objects, of 1 the code is unmapped; 4096 bytes of code and 64 bytes of data",
        "over a (generation 1",
    ] {
        assert!(text.contains(words), "`{words}` is missing: {text}");
    }
    assert!(!text.contains(" moved\n"), "only who has not moved is shown: {text}");
    assert!(fake.run("status PID --threads").1.contains(" moved\n"));
    let document = json(&fake.run("status PID --json").1);
    assert_eq!((&document["transition"]["timeout_ms"], &document["threads"][1]["line"]), (&5000.into(), &12.into()));
    assert_eq!(document["modules"][0]["patches"][1]["depth"], 1);
}

#[test]
fn watching_ends_with_the_update() {
    let fake = moves_after(3);
    let (code, text, _) = fake.run("status PID --watch --json");
    let lines: Vec<_> = text.lines().map(json).collect();
    assert_eq!((code, lines.len()), (0, 2), "only what is new is shown: {text}");
    assert!(!lines[0]["transition"].is_null() && lines[1]["transition"].is_null(), "{text}");
}

#[test]
fn a_timeout_needs_a_unit() {
    let fake = moves_after(0);
    let (code, _, error) = fake.run("apply PID PATCH --timeout 5");
    assert!(code == 2 && error.contains("write it as `5s`"), "{error}");
    assert_eq!(fake.asked(), []);
}
