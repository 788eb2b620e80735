//! `fork` against an update in progress. The forking thread notes what the runtime is at; the runtime does not enter
//! a step while a fork is copying the process, because a child could then hold one page from before the step and
//! another from after it. Only a fork that meets the dynamic linker at work lets it finish (a fraction of a
//! millisecond), as it does with malloc: its lock would stay locked in the child.
//!
//! A child forked during step | finds | and
//! ---|---|---
//! `Idle` | everything as before or after an update | goes on
//! `Loading` | (loading did not finish in time) linker and tables in an unknown state | takes no updates
//! `Opened` | a complete plan, text writable, nothing stored | closes the text, goes on without that update
//! `Committing` | a complete plan, some of it stored | stores all of it again, and closes the text

use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use crate::sys::{linker, process};

/// What the runtime's thread is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Phase {
    Idle = 0,
    Loading = 1,
    Opened = 2,
    Committing = 3,
}

static PHASE: AtomicU8 = AtomicU8::new(Phase::Idle as u8);
/// Forks that have begun and not returned in the parent.
static FORKING: AtomicU32 = AtomicU32::new(0);
/// The phase at the last fork; at the latest phase of several at once.
static AT_FORK: AtomicU8 = AtomicU8::new(Phase::Idle as u8);
/// This process was forked during `Loading`.
static LOST: AtomicBool = AtomicBool::new(false);

/// How long a fork lets a load in progress finish.
const LOADING_WAIT_MS: u32 = 20;

/// Moves on to a phase when no fork is in progress. Tries for two seconds; a fork takes milliseconds for each GiB.
pub(crate) fn enter(phase: Phase) -> bool {
    let rest = if phase == Phase::Committing { Phase::Opened } else { Phase::Idle };
    for _ in 0..2000 {
        // The order matters: either this store is seen by `before_fork`, or its fork is seen here.
        PHASE.store(phase as u8, Ordering::SeqCst);
        if FORKING.load(Ordering::SeqCst) == 0 {
            return true;
        }
        PHASE.store(rest as u8, Ordering::SeqCst);
        process::sleep_ms(1);
    }
    false
}

/// Back to rest.
pub(crate) fn leave() {
    PHASE.store(Phase::Idle as u8, Ordering::SeqCst);
}

/// Whether this process was forked while its parent was loading a patch.
pub(crate) fn lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// In the forking thread, before the fork.
pub(crate) extern "C" fn before_fork() {
    let first = FORKING.fetch_add(1, Ordering::SeqCst) == 0;
    // Bounded: this very thread may hold a lock that the loader waits for.
    for _ in 0..LOADING_WAIT_MS * 10 {
        if PHASE.load(Ordering::SeqCst) != Phase::Loading as u8 && !linker::is_holding() {
            break;
        }
        process::sleep_us(100);
    }
    if first {
        AT_FORK.store(PHASE.load(Ordering::SeqCst), Ordering::SeqCst);
    } else {
        AT_FORK.fetch_max(PHASE.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

/// In the parent, after the fork.
pub(crate) extern "C" fn after_fork_in_parent() {
    FORKING.fetch_sub(1, Ordering::SeqCst);
}

/// In the child: what its parent's runtime was at.
pub(crate) fn after_fork_in_child() -> Phase {
    FORKING.store(0, Ordering::SeqCst);
    PHASE.store(Phase::Idle as u8, Ordering::SeqCst);
    let phase = match AT_FORK.load(Ordering::SeqCst) {
        0 => Phase::Idle,
        1 => Phase::Loading,
        2 => Phase::Opened,
        _ => Phase::Committing,
    };
    if linker::was_holding() || phase == Phase::Loading {
        LOST.store(true, Ordering::Relaxed);
    }
    phase
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The phase is one for the whole process, and tests run at once.
    pub(crate) static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

    /// The phase the runtime is at.
    pub(crate) fn now() -> u8 {
        PHASE.load(Ordering::SeqCst)
    }

    #[test]
    fn a_child_learns_what_its_parent_was_at_and_the_parent_goes_on() {
        let _alone = ALONE.lock().expect("no test has failed in it");
        assert!(enter(Phase::Committing));
        before_fork();
        after_fork_in_parent();
        leave();
        assert_eq!(after_fork_in_child(), Phase::Committing);
        assert!(!lost());
        before_fork();
        after_fork_in_parent();
        assert_eq!(after_fork_in_child(), Phase::Idle);
        assert!(enter(Phase::Loading), "the fork is over");
        leave();
    }
}
