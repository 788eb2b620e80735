//! The dynamic linker's list of loaded objects, and the lock around it.

use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicBool, Ordering};

use crate::callback::Callback;

/// The dynamic linker's lock is taken for a step: a fork that meets it waits.
static HOLDING: AtomicBool = AtomicBool::new(false);

/// Whether a fork would copy a locked linker.
pub(crate) fn is_holding() -> bool {
    HOLDING.load(Ordering::SeqCst)
}

/// In the child of a fork: whether it did.
pub(crate) fn was_holding() -> bool {
    HOLDING.swap(false, Ordering::SeqCst)
}

/// Does `step` if `stands`. Where a library may be unloaded, this is done with the lock of the linker that it unmaps
/// with, and that `dl_iterate_phdr` takes (glibc's elf/dl-close.c); no code of a library runs under that lock.
pub(crate) fn while_loaded(may_go: bool, stands: &mut dyn Callback<(), bool>, step: &mut dyn Callback<()>) {
    if !may_go {
        return step.call(());
    }
    HOLDING.store(true, Ordering::SeqCst);
    let mut first = true;
    each_loaded(&mut |_: &libc::dl_phdr_info| {
        if core::mem::take(&mut first) && stands.call(()) {
            step.call(());
        }
    });
    HOLDING.store(false, Ordering::SeqCst);
}

/// The program headers of a module.
pub(super) fn headers(info: &libc::dl_phdr_info) -> Option<&[libc::Elf64_Phdr]> {
    // SAFETY: the dynamic linker's own table of the module, which cannot be unloaded while it holds its lock.
    (!info.dlpi_phdr.is_null()).then(|| unsafe { core::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) })
}

/// Who is told of loaded modules.
pub(super) type Each<'e> = &'e mut dyn for<'i> Callback<&'i libc::dl_phdr_info>;

/// Calls `each` for every loaded module, holding the dynamic linker's lock.
pub(super) fn each_loaded(mut each: Each<'_>) {
    extern "C" fn visit(info: *mut libc::dl_phdr_info, _size: usize, each: *mut c_void) -> c_int {
        // SAFETY: the dynamic linker passes a valid structure; `each` is the one given below, alive and borrowed by
        // nobody else.
        let (info, each) = unsafe { (&*info, &mut *each.cast::<Each<'_>>()) };
        each.call(info);
        0
    }
    // SAFETY: `visit` is for a pointer to an `Each`, which lives until the call returns.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut each).cast()) };
}
