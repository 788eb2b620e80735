//! What instrumented code calls, on the program's threads: quiescence points, idle regions, event loops of libraries,
//! stacks of coroutines. No lock, no allocation; `errno` stays as it is.

use core::sync::atomic::Ordering;

use crate::arch;
use crate::stack_check::{Found, StackCheck};
use crate::sys::process;
use crate::sys::range::Range;
use crate::threads::{Record, SHARED, current, own};

arch::entries!(
    __dsu_quiesce = quiesce,
    __dsu_idle_begin = idle_begin,
    __dsu_idle_end = idle_end,
    __dsu_library_idle_begin = library_idle_begin,
    __dsu_library_idle_end = library_idle_end,
);

/// What `DSU_QUIESCENCE_POINT()` calls in a unit compiled without the plugin: nothing to do.
#[unsafe(no_mangle)]
pub extern "C" fn __dsu_quiescence_point() {}

/// A quiescence point whose thread has not answered the last epoch.
extern "C" fn quiesce(_unused: usize, sp: usize) {
    if let Some(record) = own() {
        answer(record, sp);
    }
}

/// Does what the epoch asks of the thread, which is at a quiescence point.
#[inline(never)]
fn answer(record: &'static Record, sp: usize) {
    let epoch = SHARED.epoch.load(Ordering::Acquire);
    let check = loop {
        let check = SHARED.check.load(Ordering::Acquire);
        // Seen by the runtime, which frees no check that is being read; or the check is gone already.
        record.reading.store(check, Ordering::SeqCst);
        if core::ptr::eq(SHARED.check.load(Ordering::SeqCst), check) {
            break check;
        }
    };
    // SAFETY: null, or a check that stays while `reading` says so (`Epochs::begin`).
    let done = unsafe { check.as_ref() }.is_none_or(|check| look(check, record, sp));
    record.reading.store(core::ptr::null_mut(), Ordering::Release);
    if done {
        record.answered.store(epoch, Ordering::Release);
        arch::set_own_epoch(epoch);
    }
}

/// The calling thread looks at its own stack from `sp` on, and moves if it can. True if it has nothing left to do.
fn look(check: &StackCheck, record: &Record, sp: usize) -> bool {
    let own = Range { start: record.stack_low.load(Ordering::Acquire), end: record.stack_high.load(Ordering::Acquire) };
    let mut found = Found::default();
    // A program may have registered the stack that it gave to the thread, too.
    let registered = SHARED.stacks.around(sp).filter(|other| !other.holds(own.end.wrapping_sub(1)));
    let guarded = record.guarded.load(Ordering::Relaxed) != 0;
    if let Some(other) = registered.filter(|_| own.end != 0 && guarded) {
        // Where it left its own stack is not known, so all of that counts.
        // SAFETY: the program keeps a stack that it has registered while a thread runs on it; a thread's own stack, all
        // of it as `guarded` says, is there as long as the thread.
        unsafe {
            check.look_here(sp, other.end, &mut found);
            check.look_here(own.start, own.end, &mut found);
        }
    } else if registered.is_none() && own.holds(sp) {
        // SAFETY: from the stack pointer of the calling thread to the end of its stack; other stacks are registered
        // by a program that switches to them (`dsu.h`).
        unsafe { check.look_here(sp, own.end, &mut found) };
    } else {
        record.elsewhere.store(u32::from(own.end != 0), Ordering::Relaxed);
        return false;
    }
    record.elsewhere.store(0, Ordering::Relaxed);
    record.inside.store(found.changed, Ordering::Relaxed);
    if found.changed != 0 {
        return false;
    }
    if record.state.load().generation() != check.goal {
        record.state.move_self(check.goal);
        record.since_ns.store(process::now_ns(), Ordering::Relaxed);
    }
    !found.retired
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
    record.state.begin_idle();
}

extern "C" fn idle_end(_unused: usize, sp: usize) {
    let Some(record) = own() else { return };
    record.idle_sp.store(0, Ordering::Release);
    record.state.resume();
    if arch::own_epoch() != SHARED.epoch.load(Ordering::Relaxed) {
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
    SHARED.stacks.add(low.addr(), size);
}

/// Before such a stack is freed.
#[unsafe(no_mangle)]
pub extern "C" fn dsu_unregister_stack(low: *const core::ffi::c_void) {
    SHARED.stacks.remove(low.addr());
}
