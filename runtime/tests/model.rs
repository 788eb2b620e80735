//! Every interleaving of a thread and the runtime over one thread state (`src/thread_state.rs`), by the model checker loom: whatever
//! the runtime does, a thread that runs sees one generation until it passes a point by itself.

/// The checker's atomics in place of the processor's.
mod sync {
    pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};
}

#[expect(dead_code, reason = "the runtime uses all of it, this model the handshakes")]
#[path = "../src/thread_state.rs"]
mod thread_state;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use loom::thread;
use thread_state::ThreadState;

const OLD: u32 = 4;
const NEW: u32 = 5;

fn state() -> Arc<ThreadState> {
    Arc::new(ThreadState::around(AtomicU64::new(u64::from(OLD))))
}

/// What a dispatch stub does: the generation that decides which version runs.
fn stub(state: &ThreadState) -> u32 {
    let seen = state.load();
    if seen.asks() { state.resume() } else { seen.generation() }
}

#[test]
fn a_thread_that_leaves_its_idle_region_is_not_moved_any_more() {
    loom::model(|| {
        let state = state();
        state.begin_idle();
        let shared = Arc::clone(&state);
        let runtime = thread::spawn(move || {
            let seen = shared.load();
            seen.is_idle() && shared.move_idle(seen, NEW)
        });
        let first = state.resume();
        let (second, third) = (stub(&state), stub(&state));
        let moved = runtime.join().expect("no panic in the runtime");
        assert_eq!((first, second), (second, third), "a mix of generations");
        assert_eq!(stub(&state), if moved { NEW } else { OLD });
    });
}

#[test]
fn what_was_seen_in_one_idle_region_does_not_hold_in_the_next() {
    loom::model(|| {
        let state = state();
        state.begin_idle();
        let seen = state.load();
        let shared = Arc::clone(&state);
        let runtime = thread::spawn(move || shared.move_idle(seen, NEW));
        let before = state.resume();
        let during = stub(&state);
        state.begin_idle();
        let moved = runtime.join().expect("no panic in the runtime");
        assert_eq!(before, during);
        // Either it was moved in the first region, or the runtime's look was in vain.
        assert_eq!(state.resume(), if before == NEW { NEW } else { OLD });
        assert_eq!(moved, before == NEW);
    });
}

#[test]
fn a_signal_handler_in_an_idle_region_ends_it() {
    loom::model(|| {
        let state = state();
        state.begin_idle();
        let shared = Arc::clone(&state);
        let runtime = thread::spawn(move || {
            let seen = shared.load();
            seen.is_idle() && shared.move_idle(seen, NEW)
        });
        // The handler calls two functions that change.
        let handler = [stub(&state), stub(&state)];
        let end = state.resume();
        runtime.join().expect("no panic in the runtime");
        assert_eq!(handler, [end, end]);
    });
}

#[test]
fn a_blocked_thread_that_wakes_takes_the_announcement_back() {
    loom::model(|| {
        let state = state();
        let woke = Arc::new(AtomicBool::new(false));
        let (shared, has_woken) = (Arc::clone(&state), Arc::clone(&woke));
        let runtime = thread::spawn(move || {
            let seen = shared.load();
            let Some(announced) = shared.announce(seen) else { return false };
            // The kernel tells whether the thread has run; being scheduled is a full barrier.
            fence(Ordering::SeqCst);
            let moved = !has_woken.load(Ordering::Relaxed) && shared.move_announced(announced, NEW);
            if !moved {
                shared.retract(announced);
            }
            moved
        });
        woke.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let calls = [stub(&state), stub(&state), stub(&state)];
        let moved = runtime.join().expect("no panic in the runtime");
        assert_eq!(calls, [if moved { NEW } else { OLD }; 3]);
        assert_eq!(stub(&state), calls[0], "nothing is left announced");
    });
}

#[test]
fn a_thread_moves_itself_while_the_runtime_tries_to() {
    loom::model(|| {
        let state = state();
        state.begin_idle();
        let shared = Arc::clone(&state);
        let runtime = thread::spawn(move || {
            let seen = shared.load();
            seen.is_idle() && shared.move_idle(seen, NEW)
        });
        state.resume();
        state.move_self(NEW);
        let calls = [stub(&state), stub(&state)];
        runtime.join().expect("no panic in the runtime");
        assert_eq!(calls, [NEW; 2]);
        assert_eq!(stub(&state), NEW);
    });
}
