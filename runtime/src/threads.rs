//! A record for each thread of the program, out of one pool. Most of it runs on the program's threads: no lock, no
//! allocation, no system call but `gettid` once in a thread's life; `errno` stays as it is.

use core::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use dsu_abi::control;

use crate::arch;
use crate::stack_check::StackCheck;
use crate::stacks::Stacks;
use crate::sys::{memory, process};
use crate::thread_state::{Seen, ThreadState};

/// Threads at a time. Further ones stay unknown: they keep the old versions, and the update waits for them.
pub(crate) const THREADS: usize = 16_384;
/// `Record::thread` of the record that all unknown threads share.
const UNKNOWN: u32 = u32::MAX;
/// `Record::thread` while a record changes hands.
const CHANGING: u32 = u32::MAX - 1;

/// One thread.
#[repr(C, align(64))]
pub(crate) struct Record {
    /// First, for dispatch stubs load it through the pointer they have.
    pub(crate) state: ThreadState,
    /// Number of the thread; 0 for a free record.
    pub(crate) thread: AtomicU32,
    /// The last epoch it has answered; see [`Shared::epoch`].
    pub(crate) answered: AtomicU32,
    /// Where its thread control block is, which is right above its stack (of all threads but the first); 0 as long as
    /// it has not passed here itself.
    pub(crate) pointer: AtomicUsize,
    /// Stack pointer at the beginning of the idle region it is in; 0 outside. A signal handler that calls a changed function
    /// ends the region for `state`, but not here: where the call goes on (`SA_RESTART`), the thread waits as before.
    pub(crate) idle_sp: AtomicUsize,
    /// Where the call returned to that began it: the blocking call is the next one there.
    pub(crate) idle_pc: AtomicUsize,
    /// Its stack, as the runtime has found out; 0 before.
    pub(crate) stack_low: AtomicUsize,
    pub(crate) stack_high: AtomicUsize,
    /// Whether all of that is known to be its stack, and not other memory right below it.
    pub(crate) guarded: AtomicU32,
    /// An address in changed code that was on its stack when it was last looked at; 0 for none.
    pub(crate) inside: AtomicUsize,
    /// It was last looked at on a stack that is not its own.
    pub(crate) elsewhere: AtomicU32,
    /// The stack check it is reading, so that it is not freed.
    pub(crate) reading: AtomicPtr<StackCheck>,
    /// Library event loops it is in.
    pub(crate) loops: AtomicU32,
    /// Descriptor of the first wait in the innermost one; -1 before.
    pub(crate) loop_fd: AtomicI32,
    /// When it moved (monotonic nanoseconds), as seen by the runtime.
    pub(crate) since_ns: AtomicU64,
    /// The listing of threads it was last met in; 0 before. Only the runtime's thread uses it.
    pub(crate) listed: AtomicU32,
}

impl Record {
    const fn of(thread: u32, bits: u64) -> Self {
        Self {
            state: ThreadState::around(AtomicU64::new(bits)),
            thread: AtomicU32::new(thread),
            answered: AtomicU32::new(0),
            pointer: AtomicUsize::new(0),
            idle_sp: AtomicUsize::new(0),
            idle_pc: AtomicUsize::new(0),
            stack_low: AtomicUsize::new(0),
            stack_high: AtomicUsize::new(0),
            guarded: AtomicU32::new(0),
            inside: AtomicUsize::new(0),
            elsewhere: AtomicU32::new(0),
            reading: AtomicPtr::new(core::ptr::null_mut()),
            loops: AtomicU32::new(0),
            loop_fd: AtomicI32::new(-1),
            since_ns: AtomicU64::new(0),
            listed: AtomicU32::new(0),
        }
    }

    /// Makes it the record of a thread that starts at `generation`.
    fn begin(&self, generation: u32) {
        self.state.reset(generation);
        for word in [&self.pointer, &self.idle_sp, &self.stack_low, &self.stack_high, &self.inside] {
            word.store(0, Ordering::Relaxed);
        }
        self.since_ns.store(0, Ordering::Relaxed);
        self.answered.store(0, Ordering::Relaxed);
        self.loops.store(0, Ordering::Relaxed);
        self.elsewhere.store(0, Ordering::Relaxed);
        self.listed.store(0, Ordering::Relaxed);
        self.reading.store(core::ptr::null_mut(), Ordering::Release);
    }

    /// Whether it is the record of a thread.
    pub(crate) fn is_used(&self) -> bool {
        !matches!(self.thread.load(Ordering::Acquire), 0 | CHANGING | UNKNOWN)
    }

    fn is_of(&self, thread: u32) -> bool {
        self.thread.load(Ordering::Acquire) == thread
    }

    /// Takes it from `thread`; false if it is that thread's no more.
    fn change_hands(&self, thread: u32) -> bool {
        self.thread.compare_exchange(thread, CHANGING, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Whether the check is being read by this thread.
    pub(crate) fn reads(&self, check: *const StackCheck) -> bool {
        core::ptr::eq(self.reading.load(Ordering::SeqCst), check)
    }
}

/// What all copies of the runtime in a process share: one symbol, so that the linker shares all of it or nothing.
#[repr(C)]
pub struct Shared {
    /// Number of the last epoch. An update, and each attempt to prove that nothing runs in old code any more, is an
    /// epoch: each thread looks at its stack once. Instrumented code compares it with its own last epoch.
    pub(crate) epoch: AtomicU32,
    /// Generation of threads that come into being.
    initial_generation: AtomicU32,
    /// During a transition, which threads run which versions: see [`control::threshold`].
    threshold: AtomicU32,
    /// Records that were ever in use.
    used: AtomicU32,
    pool: AtomicPtr<Record>,
    /// What the last epoch asks of each thread.
    pub(crate) check: AtomicPtr<StackCheck>,
    pub(crate) stacks: Stacks,
}

/// To instrumented code, the 32 bits of the epoch.
#[unsafe(export_name = "__dsu_generation")]
pub static SHARED: Shared = Shared {
    epoch: AtomicU32::new(0),
    initial_generation: AtomicU32::new(0),
    threshold: AtomicU32::new(control::threshold(u32::MAX >> 1, true)),
    used: AtomicU32::new(0),
    pool: AtomicPtr::new(core::ptr::null_mut()),
    check: AtomicPtr::new(core::ptr::null_mut()),
    stacks: Stacks::new(),
};

static UNKNOWN_THREAD: Record = Record::of(UNKNOWN, ThreadState::UNKNOWN);

arch::thread_local_words!(unknown = UNKNOWN_THREAD);

/// The calling thread's record, which may be the shared one of unknown threads.
pub(crate) fn current() -> &'static Record {
    // SAFETY: the word holds a pointer to the shared record, which the template of thread-local storage puts there, or to
    // one of the pool, which `set_current` does; both live for ever.
    unsafe { &*arch::thread_word().cast() }
}

fn set_current(record: &'static Record) {
    arch::set_thread_word(core::ptr::from_ref(record).cast());
}

/// Records in use, and free ones between them.
pub(crate) fn records() -> &'static [Record] {
    let pool = SHARED.pool.load(Ordering::Acquire);
    if pool.is_null() {
        return &[];
    }
    let used = (SHARED.used.load(Ordering::Acquire) as usize).min(THREADS);
    // SAFETY: the pool is a mapping of `THREADS` records that stays; zero is a value of each field.
    unsafe { core::slice::from_raw_parts(pool, used) }
}

/// Makes the pool, in the constructor of the first copy of the runtime.
pub(crate) fn make_pool() {
    if let Some(pool) = memory::zeroed::<Record>(THREADS) {
        let none = core::ptr::null_mut();
        // Another copy may have been first: constructors of libraries run one after the other, dlopen's too.
        let _known = SHARED.pool.compare_exchange(none, pool, Ordering::AcqRel, Ordering::Relaxed);
    }
}

/// The record of a thread, if it has one.
pub(crate) fn record_of(thread: u32) -> Option<&'static Record> {
    records().iter().find(|record| record.is_of(thread))
}

/// The same for a search that goes on, record after record, from `near`.
pub(crate) fn record_near(thread: u32, near: &mut usize) -> Option<&'static Record> {
    let records = records();
    let from =
        |start: usize| records.get(start..).unwrap_or(&[]).iter().position(|r| r.is_of(thread)).map(|at| start + at);
    let at = from(*near).or_else(|| from(0))?;
    *near = at + 1;
    records.get(at)
}

/// A record for a thread that has none. `None`: there are too many threads.
pub(crate) fn claim(thread: u32, generation: u32) -> Option<&'static Record> {
    let take = |record: &'static Record| {
        (record.is_of(0) && record.change_hands(0)).then(|| {
            record.begin(generation);
            record.thread.store(thread, Ordering::Release);
            record
        })
    };
    // A record that was just added is anybody's: whoever finds it taken by a faster thread adds another one.
    loop {
        if let Some(record) = records().iter().find_map(take) {
            return Some(record);
        }
        let more = |used: u32| (used < THREADS as u32).then_some(used + 1);
        let at = SHARED.used.fetch_update(Ordering::AcqRel, Ordering::Relaxed, more).ok()?;
        if let Some(record) = records().get(at as usize).and_then(take) {
            return Some(record);
        }
    }
}

/// Gives back the record of `thread`, which has ended since its state was `seen`. If a new thread of that number has
/// taken it over meanwhile, the state is another.
pub(crate) fn release(record: &Record, thread: u32, seen: Seen) {
    if record.change_hands(thread) {
        let free = record.state.load() == seen;
        record.thread.store(if free { 0 } else { thread }, Ordering::Release);
    }
}

/// The calling thread's own record.
pub(crate) fn own() -> Option<&'static Record> {
    let record = current();
    if record.thread.load(Ordering::Relaxed) == UNKNOWN { register() } else { Some(record) }
}

#[cold]
fn register() -> Option<&'static Record> {
    let thread = process::thread_id();
    let initial = SHARED.initial_generation.load(Ordering::Acquire);
    // The runtime may have made one when it met the thread; or it is of a thread that had the same number.
    let record = match record_of(thread).filter(|record| record.change_hands(thread)) {
        Some(known) if known.pointer.load(Ordering::Relaxed) == 0 => {
            known.state.resume();
            known
        }
        Some(stale) => {
            stale.begin(initial);
            stale
        }
        None => claim(thread, initial)?,
    };
    record.pointer.store(arch::thread_pointer(), Ordering::Relaxed);
    record.thread.store(thread, Ordering::Release);
    set_current(record);
    Some(record)
}

/// Generation of threads that come into being from now on.
pub(crate) fn set_initial_generation(generation: u32) {
    SHARED.initial_generation.store(generation, Ordering::SeqCst);
}

/// Whether any thread has come by a quiescence point or an idle region by itself.
pub(crate) fn has_passed() -> bool {
    records().iter().any(|record| record.is_used() && record.pointer.load(Ordering::Relaxed) != 0)
}

/// See [`set_initial_generation`].
pub(crate) fn initial_generation() -> u32 {
    SHARED.initial_generation.load(Ordering::SeqCst)
}

/// Which threads run which versions, for the slow path: see [`control::threshold`].
pub(crate) fn set_threshold(target: u32, newer_is_second: bool) {
    SHARED.threshold.store(control::threshold(target, newer_is_second), Ordering::SeqCst);
}

/// Whether a thread of that generation takes the version in the second word of a pair.
pub(crate) fn takes_second(generation: u32) -> bool {
    control::takes_second(generation, SHARED.threshold.load(Ordering::Acquire))
}

/// Begins an epoch: its number.
pub(crate) fn publish(check: *const StackCheck) -> u32 {
    SHARED.check.store(check.cast_mut(), Ordering::SeqCst);
    SHARED.epoch.fetch_add(1, Ordering::SeqCst).wrapping_add(1)
}

/// The stacks the program made known.
pub(crate) fn stacks() -> &'static Stacks {
    &SHARED.stacks
}

/// In a child just forked, where only the calling thread is left: frees the other records. Returns the generation of
/// the calling thread, if it is known.
pub(crate) fn after_fork() -> Option<u32> {
    let own = current();
    for record in records().iter().filter(|record| !core::ptr::eq(*record, own)) {
        record.thread.store(0, Ordering::Relaxed);
    }
    let known = own.thread.load(Ordering::Relaxed) != UNKNOWN;
    known.then(|| {
        own.thread.store(process::thread_id(), Ordering::Release);
        own.state.resume()
    })
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::AtomicU64;

    use crate::thread_state::ThreadState;

    #[test]
    fn stubs_trust_the_generation_of_a_running_thread_only() {
        let state = ThreadState::around(AtomicU64::new(7));
        assert!(!state.load().asks());
        state.begin_idle();
        assert!(state.load().asks() && state.load().is_idle() && state.load().generation() == 7);
        assert_eq!((state.resume(), state.load().asks()), (7, false));
        let announced = state.announce(state.load()).expect("nobody interferes");
        assert!(state.load().asks() && !state.load().is_idle());
        assert!(state.move_announced(announced, 8) && !state.move_announced(announced, 9));
        assert_eq!((state.load().generation(), state.load().asks()), (8, false));
        assert!(ThreadState::around(AtomicU64::new(ThreadState::UNKNOWN)).load().asks());
    }
}
