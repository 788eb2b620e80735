//! The symbols that instrumented code refers to. A quiescence point loads the two numbers and compares them; only
//! the first time after an update does it come here.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// What all copies of the runtime in a process share: one symbol, so that the linker shares all of it or nothing.
#[repr(C)]
pub struct Shared {
    /// Running number of the last update; instrumented code only reads it.
    generation: AtomicU32,
    /// Threads that reached a point, in the low half, since the generation in the high half: one word, so that a late
    /// thread cannot be counted for an update it does not belong to.
    reached: AtomicU64,
}

/// To instrumented code, the 32 bits of the generation.
#[unsafe(no_mangle)]
pub static __dsu_generation: Shared = Shared { generation: AtomicU32::new(0), reached: AtomicU64::new(0) };

// Stable Rust has no thread-local statics without `std`.
core::arch::global_asm!(
    ".pushsection .tbss.__dsu_thread_generation,\"awT\",@nobits",
    ".globl __dsu_thread_generation",
    ".type __dsu_thread_generation, @object",
    ".size __dsu_thread_generation, 4",
    ".p2align 2",
    "__dsu_thread_generation:",
    ".zero 4",
    ".popsection",
);

/// Slow path of a quiescence point: the thread takes the newest number and is counted once.
#[unsafe(no_mangle)]
pub extern "C" fn __dsu_quiesce() {
    let generation = __dsu_generation.generation.load(Ordering::Acquire);
    let before: u32;
    // SAFETY: exchanges the calling thread's own `__dsu_thread_generation`, found by the initial-exec model.
    unsafe {
        core::arch::asm!(
            "mov {at}, qword ptr [rip + __dsu_thread_generation@GOTTPOFF]",
            "mov {before:e}, dword ptr fs:[{at}]",
            "mov dword ptr fs:[{at}], {new:e}",
            at = out(reg) _,
            before = out(reg) before,
            new = in(reg) generation,
            options(nostack, preserves_flags),
        );
    }
    if before != generation {
        count(generation);
    }
}

/// What `DSU_QUIESCENCE_POINT()` calls in a unit compiled without the plugin: nothing to do.
#[unsafe(no_mangle)]
pub extern "C" fn __dsu_quiescence_point() {}

/// Begins an idle region.
#[unsafe(no_mangle)]
pub extern "C" fn __dsu_idle_begin() {}

/// Ends an idle region.
#[unsafe(no_mangle)]
pub extern "C" fn __dsu_idle_end() {}

/// The thread goes into a library's event loop.
#[unsafe(no_mangle)]
pub extern "C" fn __dsu_loop_enter() {}

/// The thread comes back from a library's event loop.
#[unsafe(no_mangle)]
pub extern "C" fn __dsu_loop_leave() {}

/// Begins an idle region of a library.
#[unsafe(no_mangle)]
pub extern "C" fn __dsu_library_idle_begin(_fd: i32) {}

/// Ends an idle region of a library.
#[unsafe(no_mangle)]
pub extern "C" fn __dsu_library_idle_end() {}

/// A stack that the program made itself.
#[unsafe(no_mangle)]
pub extern "C" fn dsu_register_stack(_low: *mut core::ffi::c_void, _size: usize) {}

/// A stack that the program made itself is no more.
#[unsafe(no_mangle)]
pub extern "C" fn dsu_unregister_stack(_low: *mut core::ffi::c_void) {}

fn count(generation: u32) {
    let since = u64::from(generation) << 32;
    let add = |now: u64| match (now >> 32).cmp(&(since >> 32)) {
        core::cmp::Ordering::Less => Some(since + 1),
        core::cmp::Ordering::Equal => Some(now + 1),
        core::cmp::Ordering::Greater => None, // A newer update has begun its own count.
    };
    // Err only means the thread came late.
    let _late = __dsu_generation.reached.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
}

/// Begins a new generation: from here on, threads count for it.
pub(crate) fn publish(generation: u32) {
    __dsu_generation.reached.store(u64::from(generation) << 32, Ordering::Relaxed);
    __dsu_generation.generation.store(generation, Ordering::Release);
}

/// Threads that reached a point since `generation` was published.
pub(crate) fn reached(generation: u32) -> u32 {
    let now = __dsu_generation.reached.load(Ordering::Relaxed);
    if now >> 32 == u64::from(generation) { now as u32 } else { 0 }
}
