//! Threads move one by one. Each looks at its own stack at its next quiescence point; the runtime's thread looks at
//! those that sleep, and nobody waits for anybody. What counts for a thread to be moved where it sleeps:
//!
//! 1. It is in an idle region, and has not left it since its stack was looked at: one compare-and-swap of its state.
//! 2. It is in no region, but blocked with no frame of the program on its stack (a thread of a library), or again in the
//!    wait of a region that a signal handler ended: the runtime announces it in the state, looks, makes sure that the
//!    thread has not run since, and moves it. Should it wake in
//!    between, the first stub it meets takes the announcement back.

use core::sync::atomic::Ordering;

use dsu_abi::wire::Blocker;

use crate::listing::Listing;
use crate::ranges::Ranges;
use crate::stack_check::StackCheck;
use crate::stacks::each_word;
use crate::switch::VersionChange;
use crate::sys::memory::Table;
use crate::sys::range::Range;
use crate::sys::tasks::{self, Activity, Map};
use crate::sys::{Errno, process};
use crate::threads::{self, Record};

/// `Record::elsewhere`: on a stack that is not its own.
const ON_OTHER_STACK: u32 = 1;
/// `Record::elsewhere`: nothing could be found out.
const UNREADABLE: u32 = 2;

/// Libc and the kernel's entry need less stack than this between an idle region's begin and the system call; a signal
/// handler needs more.
const WAIT_FRAMES: usize = 1024;

/// An update that is moving threads.
#[derive(Clone, Copy)]
pub(crate) struct Transition {
    pub(crate) update: VersionChange,
    /// Generation that threads come from, and the one they go to.
    pub(crate) from: u32,
    pub(crate) to: u32,
    /// It takes patches back.
    pub(crate) revert: bool,
    /// Threads are to go back to `from`.
    pub(crate) cancelled: bool,
    pub(crate) begun_ns: u64,
    pub(crate) timeout_ms: u32,
}

impl Transition {
    /// Generation threads are to have.
    pub(crate) fn goal(&self) -> u32 {
        if self.cancelled { self.from } else { self.to }
    }

    /// Whether a thread of that generation is where it is to be.
    pub(crate) fn is_moved(&self, generation: u32) -> bool {
        (generation >= self.to) != self.cancelled
    }

    pub(crate) fn elapsed_ns(&self) -> u64 {
        process::now_ns().wrapping_sub(self.begun_ns)
    }

    pub(crate) fn is_late(&self) -> bool {
        let timeout = u64::from(self.timeout_ms) * 1_000_000;
        !self.cancelled && timeout != 0 && self.elapsed_ns() > timeout
    }
}

/// The check of the last epoch; those before it are freed as soon as nobody reads them.
pub(crate) struct Epochs {
    check: Option<Table<StackCheck>>,
    number: u32,
}

impl Epochs {
    pub(crate) const fn new() -> Self {
        Self { check: None, number: 0 }
    }

    /// Begins an epoch.
    pub(crate) fn begin(&mut self, check: StackCheck) -> Result<(), Errno> {
        let mut home = Table::with_capacity(1)?;
        home.push(check)?;
        let address = home.as_slice().first().map_or(core::ptr::null(), core::ptr::from_ref);
        self.number = threads::publish(address);
        let before = self.check.replace(home);
        if let Some(before) = before {
            let check = before.as_slice().first().map_or(core::ptr::null(), core::ptr::from_ref);
            // A thread that was taken off its processor in the middle of looking: a page is lost, no more.
            if threads::records().iter().any(|record| record.reads(check)) {
                core::mem::forget(before);
            }
        }
        Ok(())
    }

    fn check(&self) -> Option<&StackCheck> {
        self.check.as_ref()?.as_slice().first()
    }

    /// Whether a thread has found nothing of the retired code on its stack since the epoch began.
    fn has_answered(&self, record: &Record) -> bool {
        record.answered.load(Ordering::Acquire) == self.number
    }
}

/// How far threads are, after a look at all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) threads: u32,
    pub(crate) moved: u32,
    /// Threads without a frame in retired code.
    pub(crate) answered: u32,
    /// No thread is missing.
    complete: bool,
}

impl Progress {
    /// Where nothing could be found out.
    pub(crate) const NOTHING: Self = Self { threads: 1, moved: 0, answered: 0, complete: false };

    pub(crate) fn all_moved(&self) -> bool {
        self.complete && self.moved == self.threads
    }

    pub(crate) fn all_answered(&self) -> bool {
        self.complete && self.answered == self.threads
    }
}

/// Makes sure that every thread there is has a record; those without are of `generation`. False if that is not certain.
pub(crate) fn enrol(generation: u32) -> Result<bool, Errno> {
    Ok(Listing::make(generation)?.complete)
}

/// Gives records of threads that have ended back.
pub(crate) fn sweep() {
    for record in threads::records() {
        let thread = record.thread.load(Ordering::Acquire);
        let seen = record.state.load();
        if record.is_used() && !tasks::exists(thread) {
            threads::release(record, thread, seen);
        }
    }
}

/// What it takes to look at sleeping threads.
pub(crate) struct Watch<'r> {
    epochs: &'r Epochs,
    check: &'r StackCheck,
    /// Code of all modules and patches.
    program: &'r Ranges,
    moving: Option<&'r Transition>,
    map: Map,
}

/// Looks at all threads, and moves those that can be moved.
pub(crate) fn check_threads(epochs: &Epochs, program: &Ranges, moving: Option<&Transition>) -> Result<Progress, Errno> {
    let Some(check) = epochs.check() else { return Ok(Progress::default()) };
    let listing = Listing::make(threads::initial_generation())?;
    let mut progress = Progress { complete: listing.complete, ..Progress::default() };
    let watch = Watch { epochs, check, program, moving, map: Map::read()? };
    for record in listing.records() {
        let thread = record.thread.load(Ordering::Acquire);
        let was_gone = !watch.is_done(record) && !watch.visit(record, thread);
        if was_gone {
            continue;
        }
        progress.threads += 1;
        progress.moved += u32::from(watch.is_moved(record));
        progress.answered += u32::from(epochs.has_answered(record));
    }
    Ok(progress)
}

impl Watch<'_> {
    fn is_moved(&self, record: &Record) -> bool {
        self.moving.is_none_or(|transition| transition.is_moved(record.state.load().generation()))
    }

    fn is_done(&self, record: &Record) -> bool {
        self.is_moved(record) && (self.check.retired.is_empty() || self.epochs.has_answered(record))
    }

    /// Finds out where the thread's own stack is, so that it can look at it.
    fn bounds(&self, record: &Record, thread: u32, sp: Option<usize>) -> Option<Range> {
        let high = match record.pointer.load(Ordering::Acquire) {
            _ if thread == process::pid() => process::first_stack_end(),
            0 => tasks::control_block(&self.map, thread, sp?)?,
            pointer => pointer,
        };
        let (stack, guarded) = self.map.stack(high)?;
        record.stack_low.store(stack.start, Ordering::Relaxed);
        record.guarded.store(guarded.into(), Ordering::Relaxed);
        record.stack_high.store(high, Ordering::Release);
        Some(stack)
    }

    /// Looks at one thread. False if it has ended.
    fn visit(&self, record: &'static Record, thread: u32) -> bool {
        let seen = record.state.load();
        let activity = tasks::activity(thread);
        let (sp, low, pc) = match activity {
            Activity::Gone => {
                threads::release(record, thread, seen);
                return false;
            }
            Activity::Running => {
                self.bounds(record, thread, None);
                return true;
            }
            Activity::Blocked { sp, pc, .. } => (Some(sp), sp, pc),
            // Its own word for it must do.
            Activity::Unreadable if seen.is_idle() => (None, record.idle_sp.load(Ordering::Acquire), 0),
            Activity::Unreadable => {
                self.bounds(record, thread, None);
                record.elsewhere.store(UNREADABLE, Ordering::Relaxed);
                return true;
            }
        };
        let own = self.bounds(record, thread, sp);
        let Some([stack, other]) = own.and_then(|own| stacks_from(low, own)) else {
            record.elsewhere.store(ON_OTHER_STACK, Ordering::Relaxed);
            return true;
        };
        let Some(found) = self.check.look_at(&[stack, other], pc) else {
            record.elsewhere.store(UNREADABLE, Ordering::Relaxed);
            return true;
        };
        record.elsewhere.store(0, Ordering::Relaxed);
        // Looking took time; what was seen counts only if the thread was blocked all along.
        let still = || match activity {
            Activity::Unreadable => record.state.load() == seen,
            _ => tasks::activity(thread) == activity,
        };
        if !found.retired && still() {
            record.answered.store(self.epochs.number, Ordering::Release);
        }
        record.inside.store(found.changed, Ordering::Relaxed);
        if found.changed == 0 && !self.is_moved(record) {
            let goal = self.check.goal;
            let region = record.idle_sp.load(Ordering::Acquire);
            let waits = region != 0 && region.wrapping_sub(low) < WAIT_FRAMES;
            let moved = if seen.is_idle() {
                waits && still() && record.state.move_idle(seen, goal)
            } else {
                let waits_again = waits && activity != Activity::Unreadable && is_in_its_wait(record, region);
                (waits_again || self.is_outside(stack)) && move_outside(record, seen, goal, still)
            };
            if moved {
                record.since_ns.store(process::now_ns(), Ordering::Relaxed);
            }
        }
        true
    }

    /// Whether no frame of the program is on the stack.
    fn is_outside(&self, stack: Range) -> bool {
        let mut outside = true;
        each_word(stack, |word| outside &= !self.program.hold(word)).is_some() && outside
    }
}

/// Whether the call that the thread is in is the one for which its idle region was begun: its return address follows, a
/// few instructions later and in the same place of the stack. A region that was left by `siglongjmp` has no such call.
fn is_in_its_wait(record: &Record, region: usize) -> bool {
    /// More than the arguments of a blocking call take.
    const NEAR: usize = 512;
    let mut place = [0usize];
    let [returns_to] = match tasks::copy(region, &mut place) {
        Some(()) => place,
        None => return false,
    };
    returns_to.wrapping_sub(record.idle_pc.load(Ordering::Relaxed)) < NEAR
}

/// What a thread with this stack pointer has on its stacks: from there on; and, when it runs on one that the program
/// made known, all of its own.
fn stacks_from(sp: usize, own: Range) -> Option<[Range; 2]> {
    if own.holds(sp) {
        return Some([Range { start: sp, ..own }, Range { start: 0, end: 0 }]);
    }
    threads::stacks().around(sp).map(|other| [Range { start: sp, ..other }, own])
}

/// Case 2) of the module's description.
fn move_outside(record: &Record, seen: crate::thread_state::Seen, goal: u32, still: impl Fn() -> bool) -> bool {
    let Some(announced) = record.state.announce(seen) else { return false };
    let moved = still() && record.state.move_announced(announced, goal);
    if !moved {
        record.state.retract(announced);
    }
    moved
}

/// What keeps a thread from being where it is to be, for people.
pub(crate) fn blocker(record: &Record, moving: Option<&Transition>) -> Blocker {
    let generation = record.state.load().generation();
    if moving.is_none_or(|transition| transition.is_moved(generation)) {
        Blocker::Nothing
    } else if record.inside.load(Ordering::Relaxed) != 0 {
        Blocker::Inside
    } else {
        match record.elsewhere.load(Ordering::Relaxed) {
            ON_OTHER_STACK => Blocker::UnknownStack,
            UNREADABLE => Blocker::Unreadable,
            _ => Blocker::NoPoint,
        }
    }
}
