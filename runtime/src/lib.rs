//! The runtime of an updatable program: one thread, one socket, nothing on any path the program itself takes.
//!
//! Each module knows only those that stand below it:
//!
//! | module | what it does |
//! |---|---|
//! | [`start`] | constructor, `fork`, exit |
//! | [`server`] | waits for requests, answers them |
//! | [`requests`], [`closed`] | apply, revert, cancel; libraries that the program has closed |
//! | [`driver`] | from the commit to the last thread, and on to the end of old code |
//! | [`state`], [`history`] | what is loaded, applied and in progress; what reverts go back to |
//! | [`reclaim`], [`outcome`] | old code goes when nothing can return into it; what an update did, its hooks |
//! | [`transition`] | threads move one by one |
//! | [`switch`] | prepare (may fail, has touched nothing) and commit (cannot fail) |
//! | [`load`], [`verify`], [`image`] | patch file -> checked, loaded, relocated image |
//! | [`points`], [`slow_path`] | what instrumented code and dispatch stubs call |
//! | [`threads`], [`thread_state`] | a record for each thread, and the word that says where it is |
//! | [`stack_check`], [`stacks`], [`ranges`] | what may stand on stacks |
//! | [`place`], [`phase`], [`fail`] | where the socket is; `fork` while an update is in progress; refusals |
//! | [`shadow`] | memory that patch code attaches to objects |
//! | [`sys`] | system calls, libc, the dynamic linker, foreign memory |
//! | [`text`], [`arch`] | short texts; what differs between processors |
//!
//! Nothing here allocates, panics, or waits for a thread of the program; nor does a thread of the program ever wait
//! for this one.
//!
//! In a profile that unwinds, that of the tests, it has the standard library in it, and nothing links it.
#![cfg_attr(all(not(test), panic = "abort"), no_std)]

mod arch;
mod callback;
mod closed;
mod driver;
mod fail;
mod history;
mod image;
mod listing;
mod load;
mod outcome;
mod phase;
mod place;
pub mod points;
mod ranges;
mod reclaim;
mod requests;
mod server;
pub mod shadow;
mod slow_path;
mod stack_check;
mod stacks;
pub mod start;
mod state;
mod switch;
mod sys;
mod text;
mod thread_state;
pub mod threads;
mod transition;
mod verify;

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
