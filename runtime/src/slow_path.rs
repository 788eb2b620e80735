//! The slow path of dispatch stubs: where stubs go that meet a thread that is unknown, idle (a signal handler in the
//! middle of a blocking call), or about to be moved.

use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use crate::{arch, threads};

/// 1 where registers are saved with `xsave`.
static WIDE: AtomicU8 = AtomicU8::new(0);

arch::slow_path!(choose = choose, wide = WIDE);

unsafe extern "C" {
    fn __dsu_slow_path();
}

/// Where dispatch stubs find it.
pub(crate) fn address() -> usize {
    (__dsu_slow_path as *const ()).addr()
}

/// Finds out what the processor can. Before the first patch is loaded.
pub(crate) fn prepare() {
    WIDE.store(arch::has_xsave().into(), Ordering::Relaxed);
}

/// Whatever the thread was, it runs now; returns the version for it, out of the two of the stub.
extern "C" fn choose(pair: &[AtomicUsize; 2]) -> usize {
    let [first, second] = pair;
    // Without a record it counts as one that has not moved.
    let generation = threads::own().map_or(0, |record| record.state.resume());
    (if threads::takes_second(generation) { second } else { first }).load(Ordering::Acquire)
}
