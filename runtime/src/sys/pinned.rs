//! The memory of an instrumented module that cannot be unloaded meanwhile.

use core::sync::atomic::{AtomicU16, AtomicUsize};

use dsu_abi::elf::{PF_R, PF_W, PF_X};

use super::linker::while_loaded;
use super::memory::TextSpan;
use super::modules::{Cookie, Module};
use crate::arch::PAGE;

/// A module that is not unloaded as long as this lives; the program itself and libraries without a [`Cookie`] never are.
pub(crate) struct PinnedModule<'m>(&'m Module);

impl<'m> PinnedModule<'m> {
    /// Calls `step` while the module is pinned; `None` if it has gone meanwhile.
    pub(crate) fn during<T>(module: &'m Module, step: impl FnOnce(&Self) -> T) -> Option<T> {
        if module.cookie.is_none() && !module.is_program() {
            module.pin()?;
        }
        let mut step = Some(step);
        let mut done = None;
        let mut stands = |()| module.cookie.is_none_or(Cookie::stands);
        while_loaded(module.cookie.is_some(), &mut stands, &mut |()| {
            done = step.take().map(|step| step(&Self(module)))
        });
        done
    }

    /// Readable memory at an address of the file.
    pub(crate) fn bytes(&self, address: u64, len: usize) -> Option<&'static [u8]> {
        let (at, _) = self.0.locate(address, len, PF_R)?;
        // SAFETY: inside a readable segment of a module that is pinned. It is used for text and stubs, which nobody writes
        // but the runtime's own thread, the only one to read them.
        Some(unsafe { core::slice::from_raw_parts(at as *const u8, len) })
    }

    /// A slot: an aligned word of writable memory.
    pub(crate) fn slot(&self, address: u64) -> Option<&'static AtomicUsize> {
        let (at, _) = self.0.locate(address, size_of::<usize>(), PF_W)?;
        // SAFETY: inside a writable segment, aligned; everyone else only loads it, whole. The runtime comes back to it in
        // `while_loaded` only; so does a forked child, which finishes what was cut short there, or asks first whether the
        // module has gone (`State::after_fork`).
        at.is_multiple_of(8).then(|| unsafe { &*(at as *const AtomicUsize) })
    }

    /// The two bytes of text to arm, aligned, so that one store changes both.
    pub(crate) fn entry(&self, address: u64) -> Option<&'static AtomicU16> {
        let (at, _) = self.0.locate(address, size_of::<u16>(), PF_R | PF_X)?;
        // SAFETY: inside an executable segment, aligned; used in `while_loaded` only, and stored to between
        // `set_text_writable(true)` and `(false)`; cores fetch it whole, being aligned in one cache line.
        at.is_multiple_of(2).then(|| unsafe { &*(at as *const AtomicU16) })
    }

    /// Runtime address of an address of the file, in executable memory.
    pub(crate) fn code(&self, address: u64) -> Option<usize> {
        self.0.locate(address, 1, PF_X).map(|(at, _)| at)
    }

    /// The pages of the segment that holds the addresses from `first` to `last`, for changing their protection.
    pub(crate) fn text_span(&self, first: usize, last: usize) -> Option<TextSpan> {
        let relative = first.wrapping_sub(self.0.bias) as u64;
        let (_, segment) = self.0.locate(relative, last.checked_sub(first)?.checked_add(2)?, PF_X)?;
        let flag = |flag, protection| if segment.flags & flag == 0 { 0 } else { protection };
        let protection = flag(PF_R, libc::PROT_READ) | flag(PF_W, libc::PROT_WRITE) | flag(PF_X, libc::PROT_EXEC);
        let start = first & !(PAGE - 1);
        let end = last.checked_add(2)?.checked_next_multiple_of(PAGE)?;
        Some(TextSpan { start, len: end - start, protection })
    }
}
