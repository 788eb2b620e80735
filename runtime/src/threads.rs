//! A record for each thread of the program, and what instrumented code calls. Everything here runs on the program's
//! threads: no lock, no allocation, no system call but `gettid` once in a thread's life; `errno` stays as it is.

use core::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use dsu_abi::patch::control;

use crate::scan::{self, Task};
use crate::sys::process;
use crate::word::Word;

/// Threads at a time. Further ones stay unknown: they keep the old versions, and the update waits for them.
pub(crate) const THREADS: usize = 16_384;
/// `Record::thread` of the record that all unknown threads share.
const UNKNOWN: u32 = u32::MAX;
/// `Record::thread` while a record changes hands.
const CHANGING: u32 = u32::MAX - 1;

/// One thread.
#[repr(C, align(64))]
pub(crate) struct Record {
    /// First, for transition stubs load it through the pointer they have.
    pub(crate) word: Word,
    /// Number of the thread; 0 for a free record.
    pub(crate) thread: AtomicU32,
    /// The last round it has answered; see [`Shared::round`].
    pub(crate) answered: AtomicU32,
    /// Where its thread control block is, which is right above its stack (of all threads but the first); 0 as long as
    /// it has not passed here itself.
    pub(crate) pointer: AtomicUsize,
    /// Stack pointer at the beginning of the idle region it is in; 0 outside. A signal handler that calls a changed function
    /// ends the region for `word`, but not here: where the call goes on (`SA_RESTART`), the thread waits as before.
    pub(crate) idle_sp: AtomicUsize,
    /// Where the call returned to that began it: the blocking call is the next one there.
    pub(crate) idle_pc: AtomicUsize,
    /// Its stack, as the runtime has found out; 0 before.
    pub(crate) stack_low: AtomicUsize,
    pub(crate) stack_high: AtomicUsize,
    /// An address in changed code that was on its stack when it was last looked at; 0 for none.
    pub(crate) inside: AtomicUsize,
    /// It was last looked at on a stack that is not its own.
    pub(crate) elsewhere: AtomicU32,
    /// The task it is reading, so that it is not freed.
    reading: AtomicPtr<Task>,
    /// Library event loops it is in.
    loops: AtomicU32,
    /// Descriptor of the first wait in the innermost one; -1 before.
    loop_fd: AtomicI32,
    /// When it moved (monotonic nanoseconds), as seen by the runtime.
    pub(crate) since_ns: AtomicU64,
    /// The listing of threads it was last met in; 0 before. Only the runtime's thread uses it.
    pub(crate) listed: AtomicU32,
}

impl Record {
    const fn of(thread: u32, bits: u64) -> Self {
        Self {
            word: Word::around(AtomicU64::new(bits)),
            thread: AtomicU32::new(thread),
            answered: AtomicU32::new(0),
            pointer: AtomicUsize::new(0),
            idle_sp: AtomicUsize::new(0),
            idle_pc: AtomicUsize::new(0),
            stack_low: AtomicUsize::new(0),
            stack_high: AtomicUsize::new(0),
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
        self.word.reset(generation);
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

    /// Whether the task is being read by this thread.
    pub(crate) fn reads(&self, task: *const Task) -> bool {
        core::ptr::eq(self.reading.load(Ordering::SeqCst), task)
    }
}

/// What all copies of the runtime in a process share: one symbol, so that the linker shares all of it or nothing.
#[repr(C)]
pub struct Shared {
    /// Number of the last round. An update, and each attempt to prove that nothing runs in old code any more, is a
    /// round: each thread looks at its stack once. Instrumented code compares it with its own last round.
    round: AtomicU32,
    /// Generation of threads that come into being.
    birth: AtomicU32,
    /// During a transition, which threads run which versions: see [`control::threshold`].
    threshold: AtomicU32,
    /// Records that were ever in use.
    used: AtomicU32,
    pool: AtomicPtr<Record>,
    task: AtomicPtr<Task>,
    stacks: scan::Stacks,
}

/// To instrumented code, the 32 bits of the round.
#[unsafe(no_mangle)]
pub static __dsu_generation: Shared = Shared {
    round: AtomicU32::new(0),
    birth: AtomicU32::new(0),
    threshold: AtomicU32::new(control::threshold(u32::MAX >> 1, true)),
    used: AtomicU32::new(0),
    pool: AtomicPtr::new(core::ptr::null_mut()),
    task: AtomicPtr::new(core::ptr::null_mut()),
    stacks: scan::Stacks::new(),
};

static UNKNOWN_THREAD: Record = Record::of(UNKNOWN, Word::UNKNOWN);

// Stable Rust has no thread-local statics without `std`. The entries pass on where the caller's frames begin: the
// return address is among them, this code's own frames, full of leftovers, are not.
core::arch::global_asm!(
    ".pushsection .tbss.__dsu_thread_generation,\"awT\",@nobits",
    ".globl __dsu_thread_generation",
    ".type __dsu_thread_generation, @object",
    ".size __dsu_thread_generation, 4",
    ".p2align 2",
    "__dsu_thread_generation:",
    ".zero 4",
    ".popsection",
    ".pushsection .tdata.__dsu_thread,\"awT\",@progbits",
    ".globl __dsu_thread",
    ".type __dsu_thread, @object",
    ".size __dsu_thread, 8",
    ".p2align 3",
    "__dsu_thread:",
    ".quad {unknown}",
    ".popsection",
    ".pushsection .text.__dsu_entries,\"ax\",@progbits",
    ".macro dsu_entry name, to",
    ".globl \\name",
    ".type \\name, @function",
    ".p2align 4",
    "\\name:",
    "endbr64",
    "mov %rsp, %rsi",
    "jmp \\to",
    ".size \\name, . - \\name",
    ".endm",
    "dsu_entry __dsu_quiesce, {quiesce}",
    "dsu_entry __dsu_idle_begin, {idle_begin}",
    "dsu_entry __dsu_idle_end, {idle_end}",
    "dsu_entry __dsu_library_idle_begin, {library_idle_begin}",
    "dsu_entry __dsu_library_idle_end, {library_idle_end}",
    ".popsection",
    unknown = sym UNKNOWN_THREAD,
    quiesce = sym quiesce,
    idle_begin = sym idle_begin,
    idle_end = sym idle_end,
    library_idle_begin = sym library_idle_begin,
    library_idle_end = sym library_idle_end,
    options(att_syntax),
);

/// What `DSU_QUIESCENCE_POINT()` calls in a unit compiled without the plugin: nothing to do.
#[unsafe(no_mangle)]
pub extern "C" fn __dsu_quiescence_point() {}

/// Offset of `__dsu_thread` from the thread pointer, the same in every thread.
pub(crate) fn thread_offset() -> usize {
    let offset: usize;
    // SAFETY: loads a word that the dynamic linker filled.
    unsafe {
        core::arch::asm!("mov {}, qword ptr [rip + __dsu_thread@GOTTPOFF]", out(reg) offset,
            options(nostack, readonly, preserves_flags));
    }
    offset
}

/// The calling thread's record, which may be the shared one of unknown threads.
fn current() -> &'static Record {
    let record: *const Record;
    // SAFETY: the word holds a pointer to the shared record or to one of the pool; both live for ever.
    unsafe {
        core::arch::asm!("mov {}, qword ptr fs:[{}]", out(reg) record, in(reg) thread_offset(),
            options(nostack, readonly, preserves_flags));
        &*record
    }
}

fn set_current(record: &'static Record) {
    // SAFETY: stores the calling thread's own word.
    unsafe {
        core::arch::asm!("mov qword ptr fs:[{}], {}", in(reg) thread_offset(), in(reg) core::ptr::from_ref(record),
            options(nostack, preserves_flags));
    }
}

/// The calling thread's last round, in its own storage.
fn set_own_round(round: u32) {
    // SAFETY: stores the calling thread's own word, found by the initial-exec model.
    unsafe {
        core::arch::asm!(
            "mov {at}, qword ptr [rip + __dsu_thread_generation@GOTTPOFF]",
            "mov dword ptr fs:[{at}], {round:e}",
            at = out(reg) _,
            round = in(reg) round,
            options(nostack, preserves_flags),
        );
    }
}

fn own_round() -> u32 {
    let round: u32;
    // SAFETY: loads the calling thread's own word.
    unsafe {
        core::arch::asm!(
            "mov {at}, qword ptr [rip + __dsu_thread_generation@GOTTPOFF]",
            "mov {round:e}, dword ptr fs:[{at}]",
            at = out(reg) _,
            round = out(reg) round,
            options(nostack, readonly, preserves_flags),
        );
    }
    round
}

/// Records in use, and free ones between them.
pub(crate) fn records() -> &'static [Record] {
    let pool = __dsu_generation.pool.load(Ordering::Acquire);
    if pool.is_null() {
        return &[];
    }
    let used = (__dsu_generation.used.load(Ordering::Acquire) as usize).min(THREADS);
    // SAFETY: the pool is a mapping of `THREADS` records that stays; zero is a value of each field.
    unsafe { core::slice::from_raw_parts(pool, used) }
}

/// Makes the pool, in the constructor of the first copy of the runtime.
pub(crate) fn make_pool() {
    if let Some(pool) = crate::sys::memory::zeroed::<Record>(THREADS) {
        let none = core::ptr::null_mut();
        // Another copy may have been first: constructors of libraries run one after the other, dlopen's too.
        let _known = __dsu_generation.pool.compare_exchange(none, pool, Ordering::AcqRel, Ordering::Relaxed);
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
        let at = __dsu_generation.used.fetch_update(Ordering::AcqRel, Ordering::Relaxed, more).ok()?;
        if let Some(record) = records().get(at as usize).and_then(take) {
            return Some(record);
        }
    }
}

/// Gives back the record of `thread`, which has ended since its word was `seen`. If a new thread of that number has
/// taken it over meanwhile, the word is another.
pub(crate) fn release(record: &Record, thread: u32, seen: crate::word::Seen) {
    if record.change_hands(thread) {
        let free = record.word.load() == seen;
        record.thread.store(if free { 0 } else { thread }, Ordering::Release);
    }
}

/// The calling thread's own record.
fn own() -> Option<&'static Record> {
    let record = current();
    if record.thread.load(Ordering::Relaxed) == UNKNOWN { register() } else { Some(record) }
}

#[cold]
fn register() -> Option<&'static Record> {
    let thread = process::thread_id();
    let birth = __dsu_generation.birth.load(Ordering::Acquire);
    // The runtime may have made one when it met the thread; or it is of a thread that had the same number.
    let record = match record_of(thread).filter(|record| record.change_hands(thread)) {
        Some(known) if known.pointer.load(Ordering::Relaxed) == 0 => {
            known.word.resume();
            known
        }
        Some(stale) => {
            stale.begin(birth);
            stale
        }
        None => claim(thread, birth)?,
    };
    record.pointer.store(process::thread_pointer(), Ordering::Relaxed);
    record.thread.store(thread, Ordering::Release);
    set_current(record);
    Some(record)
}

/// A quiescence point whose thread has not answered the last round.
extern "C" fn quiesce(_unused: usize, sp: usize) {
    if let Some(record) = own() {
        answer(record, sp);
    }
}

/// Does what the round asks of the thread, which is at a quiescence point.
#[inline(never)]
fn answer(record: &'static Record, sp: usize) {
    let round = __dsu_generation.round.load(Ordering::Acquire);
    let task = loop {
        let task = __dsu_generation.task.load(Ordering::Acquire);
        // Seen by the runtime, which frees no task that is being read; or the task is gone already.
        record.reading.store(task, Ordering::SeqCst);
        if core::ptr::eq(__dsu_generation.task.load(Ordering::SeqCst), task) {
            break task;
        }
    };
    // SAFETY: null, or a task that stays while `reading` says so.
    let done = unsafe { task.as_ref() }.is_none_or(|task| task.answer_self(record, sp, &__dsu_generation.stacks));
    record.reading.store(core::ptr::null_mut(), Ordering::Release);
    if done {
        record.answered.store(round, Ordering::Release);
        set_own_round(round);
    }
}

extern "C" fn idle_begin(_unused: usize, sp: usize) {
    if let Some(record) = own() {
        begin_idle(record, sp);
    }
}

/// `sp`: where the return address into the caller of the entry is.
fn begin_idle(record: &Record, sp: usize) {
    // SAFETY: the entry has passed on its own stack pointer, which points at the return address it was called with.
    let pc = unsafe { (sp as *const usize).read() };
    record.idle_pc.store(pc, Ordering::Relaxed);
    record.idle_sp.store(sp, Ordering::Release);
    record.word.begin_idle();
}

extern "C" fn idle_end(_unused: usize, sp: usize) {
    let Some(record) = own() else { return };
    record.idle_sp.store(0, Ordering::Release);
    record.word.resume();
    if own_round() != __dsu_generation.round.load(Ordering::Relaxed) {
        answer(record, sp);
    }
}

/// Before the call of a library's event loop.
#[unsafe(no_mangle)]
pub extern "C" fn __dsu_loop_enter() {
    if let Some(record) = own() {
        record.loops.fetch_add(1, Ordering::Relaxed);
        record.loop_fd.store(-1, Ordering::Relaxed);
    }
}

/// After it.
#[unsafe(no_mangle)]
pub extern "C" fn __dsu_loop_leave() {
    if let Some(record) = own() {
        let less = |loops: u32| Some(loops.saturating_sub(1));
        let _infallible = record.loops.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

/// Whether a wait on `fd` is that of the event loop the thread is in: each loop waits on one descriptor, and does so
/// before it calls anybody.
fn is_loops_own(record: &Record, fd: i32) -> bool {
    if record.loops.load(Ordering::Relaxed) == 0 {
        return false;
    }
    if record.loop_fd.load(Ordering::Relaxed) == -1 {
        record.loop_fd.store(fd, Ordering::Relaxed);
    }
    record.loop_fd.load(Ordering::Relaxed) == fd
}

extern "C" fn library_idle_begin(fd: i32, sp: usize) {
    let record = current();
    if is_loops_own(record, fd) {
        begin_idle(record, sp);
    }
}

extern "C" fn library_idle_end(unused: usize, sp: usize) {
    if current().idle_sp.load(Ordering::Relaxed) != 0 {
        idle_end(unused, sp);
    }
}

/// Makes a stack known that the program switches to by itself (coroutines): the runtime looks there, too.
#[unsafe(no_mangle)]
pub extern "C" fn dsu_register_stack(low: *const core::ffi::c_void, size: usize) {
    __dsu_generation.stacks.add(low.addr(), size);
}

/// Before such a stack is freed.
#[unsafe(no_mangle)]
pub extern "C" fn dsu_unregister_stack(low: *const core::ffi::c_void) {
    __dsu_generation.stacks.remove(low.addr());
}

/// The gate: where stubs go that meet a thread that is unknown, idle (a signal handler in the middle of a blocking
/// call), or about to be moved. Whatever it was, it runs now; returns the version for it.
pub(crate) extern "C" fn pass_gate(pair: &[AtomicUsize; 2]) -> usize {
    let [first, second] = pair;
    // Without a record it counts as one that has not moved.
    let generation = own().map_or(0, |record| record.word.resume());
    let threshold = __dsu_generation.threshold.load(Ordering::Acquire);
    (if control::takes_second(generation, threshold) { second } else { first }).load(Ordering::Acquire)
}

/// Generation of threads that come into being from now on.
pub(crate) fn set_birth(generation: u32) {
    __dsu_generation.birth.store(generation, Ordering::SeqCst);
}

/// Whether any thread has come by a quiescence point or an idle region by itself.
pub(crate) fn has_passed() -> bool {
    records().iter().any(|record| record.is_used() && record.pointer.load(Ordering::Relaxed) != 0)
}

/// See [`set_birth`].
pub(crate) fn birth() -> u32 {
    __dsu_generation.birth.load(Ordering::SeqCst)
}

/// Which threads run which versions, for the gate: see [`control::threshold`].
pub(crate) fn set_threshold(target: u32, newer_is_second: bool) {
    __dsu_generation.threshold.store(control::threshold(target, newer_is_second), Ordering::SeqCst);
}

/// Begins a round.
pub(crate) fn publish(task: *const Task) -> u32 {
    __dsu_generation.task.store(task.cast_mut(), Ordering::SeqCst);
    __dsu_generation.round.fetch_add(1, Ordering::SeqCst).wrapping_add(1)
}

/// The stacks the program made known.
pub(crate) fn stacks() -> &'static scan::Stacks {
    &__dsu_generation.stacks
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
        own.word.resume()
    })
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::AtomicU64;

    use crate::word::Word;

    #[test]
    fn stubs_trust_the_generation_of_a_running_thread_only() {
        let word = Word::around(AtomicU64::new(7));
        assert!(!word.load().asks());
        word.begin_idle();
        assert!(word.load().asks() && word.load().is_idle() && word.load().generation() == 7);
        assert_eq!((word.resume(), word.load().asks()), (7, false));
        let announced = word.announce(word.load()).expect("nobody interferes");
        assert!(word.load().asks() && !word.load().is_idle());
        assert!(word.move_announced(announced, 8) && !word.move_announced(announced, 9));
        assert_eq!((word.load().generation(), word.load().asks()), (8, false));
        assert!(Word::around(AtomicU64::new(Word::UNKNOWN)).load().asks());
    }
}
