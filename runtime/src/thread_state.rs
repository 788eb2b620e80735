//! The state of one thread, in one word: the thread itself and the runtime's thread change it with single atomic
//! operations, so neither ever waits for the other. `tests/model.rs` explores every interleaving of these operations.
//!
//! bits | meaning
//! ---|---
//! 0 to 31 | generation the thread runs
//! 32 to 60 | changes whenever the thread passes by: what the runtime has found out before is void then
//! 61 [`MOVING`] | the runtime has seen the thread blocked outside of the program and is about to move it
//! 62 [`IDLE`] | the thread says that it is in an idle region
//! 63 [`ASK`] | with either of the two: a dispatch stub must not trust the generation, but take the slow path

use super::sync::{AtomicU64, Ordering};

const ASK: u64 = 1 << 63;
const IDLE: u64 = 1 << 62;
const MOVING: u64 = 1 << 61;
const PASSED: u64 = 1 << 32;
const GENERATION: u64 = PASSED - 1;
const PASSES: u64 = MOVING - PASSED;

/// The word. Dispatch stubs load it.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct ThreadState(AtomicU64);

/// A value the word had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen(u64);

impl Seen {
    pub(crate) fn generation(self) -> u32 {
        (self.0 & GENERATION) as u32
    }

    /// Whether a dispatch stub must take the slow path.
    #[cfg(test)]
    pub(crate) fn asks(self) -> bool {
        self.0 & ASK != 0
    }

    pub(crate) fn is_idle(self) -> bool {
        self.0 & IDLE != 0
    }

    fn with_generation(self, generation: u32) -> Self {
        Self(self.0 & !GENERATION | u64::from(generation))
    }

    /// The next value of a thread that passes by: neither idle nor being moved.
    fn passed(self) -> Self {
        Self((self.0.wrapping_add(PASSED) & PASSES) | (self.0 & GENERATION))
    }
}

impl ThreadState {
    /// Of a thread nobody knows yet: its stubs take the slow path.
    pub(crate) const UNKNOWN: u64 = ASK;

    /// Around an atomic, for those of the model checker cannot be made in a constant.
    pub(crate) const fn around(bits: AtomicU64) -> Self {
        Self(bits)
    }

    pub(crate) fn load(&self) -> Seen {
        Seen(self.0.load(Ordering::Acquire))
    }

    /// Starts over, for a thread that has just been given this word.
    pub(crate) fn reset(&self, generation: u32) {
        self.pass(|seen| seen.passed().with_generation(generation));
    }

    fn pass(&self, next: impl Fn(Seen) -> Seen) -> Seen {
        let mut seen = self.load();
        loop {
            let to = next(seen);
            match self.0.compare_exchange_weak(seen.0, to.0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return to,
                // Only the runtime interferes, and only once for each time it looks at this thread.
                Err(other) => seen = Seen(other),
            }
        }
    }

    /// The thread enters an idle region.
    pub(crate) fn begin_idle(&self) {
        self.pass(|seen| Seen(seen.passed().0 | ASK | IDLE));
    }

    /// The thread leaves its idle region, or a stub of its asks: from here on the runtime does not move it. Returns
    /// the generation it runs.
    pub(crate) fn resume(&self) -> u32 {
        self.pass(Seen::passed).generation()
    }

    /// The thread moves itself, at a quiescence point.
    pub(crate) fn move_self(&self, generation: u32) {
        self.pass(|seen| seen.passed().with_generation(generation));
    }

    /// The runtime moves a thread that has not passed by since it was `seen` idle. `false`: it has.
    pub(crate) fn move_idle(&self, seen: Seen, generation: u32) -> bool {
        seen.is_idle() && self.exchange(seen, seen.with_generation(generation))
    }

    /// The runtime announces that it is about to move a thread it has `seen` blocked. `None`: it has passed by.
    pub(crate) fn announce(&self, seen: Seen) -> Option<Seen> {
        let to = Seen(seen.0 | ASK | MOVING);
        self.exchange(seen, to).then_some(to)
    }

    /// Moves a thread that has not passed by since `announced`.
    pub(crate) fn move_announced(&self, announced: Seen, generation: u32) -> bool {
        let to = Seen(announced.passed().0).with_generation(generation);
        self.exchange(announced, to)
    }

    /// Takes the announcement back; where the thread has passed by, it is gone already.
    pub(crate) fn retract(&self, announced: Seen) {
        let _passed = self.exchange(announced, announced.passed());
    }

    fn exchange(&self, from: Seen, to: Seen) -> bool {
        self.0.compare_exchange(from.0, to.0, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}
