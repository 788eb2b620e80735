//! The runtime of an updatable program: one thread, one socket, nothing on any path the program itself takes.
//!
//! | module | what it does |
//! |---|---|
//! | [`start`] | constructor, `fork`, exit |
//! | [`place`] | where the socket is |
//! | [`server`] | waits for requests, answers them |
//! | [`state`] | what is loaded and applied |
//! | [`image`] | patch file -> checked, loaded, relocated image |
//! | [`switch`] | prepare (may fail, has touched nothing) and commit (cannot fail) |
//! | [`outcome`] | what an update did; its hooks |
//! | [`phase`] | `fork` while an update is in progress |
//! | [`threads`], [`word`], [`gate`] | a record for each thread; what instrumented code and stubs call |
//! | [`scan`] | stacks, and what may stand on them |
//! | [`transition`] | threads move one by one |
//! | [`reclaim`] | old code goes when nothing can return into it |
//! | [`shadow`] | memory that patch code attaches to objects |
//! | [`sys`] | system calls, libc, the dynamic linker, foreign memory |
//!
//! Nothing here allocates, panics, or waits for a thread of the program; nor does a thread of the program ever wait
//! for this one.
//!
//! In a profile that unwinds, that of the tests, it has the standard library in it, and nothing links it.
#![cfg_attr(all(not(test), panic = "abort"), no_std)]

mod fail;
mod gate;
mod image;
mod listing;
mod outcome;
mod phase;
mod place;
mod reclaim;
mod scan;
mod server;
pub mod shadow;
pub mod start;
mod state;
mod switch;
mod sys;
mod text;
pub mod threads;
mod transition;
mod word;

/// Apart, so that the model checker can put its own in its place.
mod sync {
    pub(crate) use core::sync::atomic::{AtomicU64, Ordering};
}

/// The formats crate may have its writers compiled in (other crates of a build want them); the runtime calls none.
#[cfg(all(not(test), panic = "abort"))]
mod refusing_allocator {
    use core::alloc::{GlobalAlloc, Layout};

    struct Refusing;

    // SAFETY: refusing every request is within the contract; so nothing is ever passed to `dealloc`.
    unsafe impl GlobalAlloc for Refusing {
        unsafe fn alloc(&self, _layout: Layout) -> *mut u8 {
            core::ptr::null_mut()
        }

        unsafe fn dealloc(&self, _pointer: *mut u8, _layout: Layout) {}
    }

    #[global_allocator]
    static ALLOCATOR: Refusing = Refusing;
}

/// Never reached: a test looks for panics in the linked program. Should one be overlooked, the runtime's thread
/// stops for good, and the program goes on.
#[cfg(all(not(test), panic = "abort"))]
#[panic_handler]
fn stop(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        sys::process::sleep_ms(-1);
    }
}

/// A build without link-time optimisation brings in whole objects of `core`, whose unwind tables name this function.
/// Nothing unwinds here (`panic = "abort"`), so nothing calls it.
#[cfg(all(not(test), panic = "abort", debug_assertions))]
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}
