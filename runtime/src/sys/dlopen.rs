//! Shared objects that the dynamic linker loads for us, and calls into them.

use core::ffi::{CStr, c_int, c_void};
use core::sync::atomic::{AtomicUsize, Ordering};

use dsu_abi::elf::{PF_R, PT_LOAD};

use super::linker::{each_loaded, headers};
use crate::arch::PAGE;
use crate::text::Text;

/// A shared object loaded by [`open`], closed again when dropped.
pub(crate) struct SharedObject {
    handle: *mut c_void,
    /// Added to the file's addresses.
    pub(crate) bias: usize,
}

impl SharedObject {
    fn from_handle(handle: *mut c_void) -> Option<Self> {
        if handle.is_null() {
            return None;
        }
        // First field of the public `struct link_map` (link.h).
        let mut map: *const usize = core::ptr::null();
        // SAFETY: a handle dlopen has just returned; writes one pointer, to a structure whose first word is l_addr.
        unsafe {
            let found = libc::dlinfo(handle, libc::RTLD_DI_LINKMAP, (&raw mut map).cast());
            if found != 0 || map.is_null() {
                libc::dlclose(handle);
                return None;
            }
            Some(Self { handle, bias: *map })
        }
    }

    /// Whether its memory at an address of the file holds `bytes`, in one segment that may be read.
    pub(crate) fn has(&self, address: u64, bytes: &[u8]) -> bool {
        let at = self.bias.wrapping_add(address as usize);
        let mut same = false;
        each_loaded(&mut |info: &libc::dl_phdr_info| {
            let loaded = headers(info).filter(|_| info.dlpi_addr as usize == self.bias).unwrap_or(&[]);
            let holds = |header: &&libc::Elf64_Phdr| {
                let from = address.checked_sub(header.p_vaddr).filter(|_| header.p_type == PT_LOAD);
                let end = from.and_then(|from| from.checked_add(bytes.len() as u64));
                header.p_flags & PF_R != 0 && end.is_some_and(|end| end <= header.p_memsz)
            };
            if loaded.iter().any(|header| holds(&header)) {
                // SAFETY: inside a segment that is mapped for reading, as the object's own headers say; the handle keeps it
                // loaded, and nobody has run code of it that could unmap or write it.
                same |= unsafe { core::slice::from_raw_parts(at as *const u8, bytes.len()) == bytes };
            }
        });
        same
    }

    /// Two words at an address of the file that was checked to be in a writable segment and aligned; for an object that
    /// stays loaded.
    pub(crate) fn words(&self, address: u64) -> &'static [AtomicUsize; 2] {
        let at = self.bias.wrapping_add(address as usize);
        // SAFETY: `dsu_abi::file::PatchFile::check_tables` vouches for the address (a control block has two words from
        // each of those asked for on); everyone else only loads them, whole.
        unsafe { &*(at as *const [AtomicUsize; 2]) }
    }

    /// Stores a word at an address of the file that was checked to be in a writable segment and aligned.
    pub(crate) fn fill(&self, address: u64, value: usize) {
        let at = self.bias.wrapping_add(address as usize);
        // SAFETY: `dsu_abi::file::PatchFile::check_tables` vouches for the address; no code of the patch has run.
        unsafe { (*(at as *const AtomicUsize)).store(value, Ordering::Relaxed) };
    }
}

impl Drop for SharedObject {
    #[inline(never)]
    fn drop(&mut self) {
        // SAFETY: the handle is open, and closed here only.
        unsafe { libc::dlclose(self.handle) };
    }
}

/// Loads a shared object with all its symbols resolved; `None`: see [`said`].
pub(crate) fn open(path: &CStr) -> Option<SharedObject> {
    // SAFETY: the object's constructors run on this thread; patchgen makes patches without any.
    SharedObject::from_handle(unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) })
}

/// What the dynamic linker said of the last failure on this thread.
pub(crate) fn said() -> Text<512> {
    // SAFETY: returns null or a NUL-terminated string of this thread, valid until its next dl call.
    let message = unsafe {
        let message = libc::dlerror();
        if message.is_null() { c"" } else { CStr::from_ptr(message) }
    };
    Text::from_c_str(message)
}

/// Keeps the module this code is in loaded: its thread must never lose its text. Returns whether it is the program
/// itself, which cannot be unloaded anyway.
pub(crate) fn keep_module(inside: *const c_void) -> bool {
    // SAFETY: dladdr fills the local; the path it returns is the dynamic linker's. With NOLOAD, dlopen finds a
    // module that is loaded (ours) and runs no code of it.
    unsafe {
        let mut info: libc::Dl_info = core::mem::zeroed();
        if libc::dladdr(inside, &raw mut info) == 0 || info.dli_fname.is_null() {
            return false;
        }
        let program = libc::getauxval(libc::AT_PHDR) as usize;
        if program.wrapping_sub(info.dli_fbase as usize) < PAGE {
            return true;
        }
        libc::dlopen(info.dli_fname, libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE);
        false
    }
}

/// Calls a function of a patch, whose code is there, that takes nothing and returns an `int`.
pub(crate) fn call_hook(address: u64) -> c_int {
    // SAFETY: `dsu_abi::file::PatchFile::check_tables` saw that it is code of the patch, which is in effect or was brought
    // back (`State::bring_back`): reclaiming waits for the same thread. That it is a function of this type is patchgen's
    // word, which the checksum ties to the file.
    unsafe { core::mem::transmute::<usize, extern "C" fn() -> c_int>(address as usize)() }
}

/// Keeps a loaded object loaded for the rest of the process's life: its load bias; `None` if there is none of that path.
pub(super) fn pin(path: &CStr) -> Option<usize> {
    let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
    // SAFETY: finds a module that is loaded, loads nothing and runs no code of its.
    let handle = unsafe { libc::dlopen(path.as_ptr(), flags) };
    SharedObject::from_handle(handle).map(|object| object.bias)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_segment_of_the_object_holds_is_looked_at() {
        let libc = open(c"libc.so.6").expect("this test is linked with it");
        assert!(libc.has(0, b"\x7fELF"), "its first segment begins with the ELF header");
        assert!(!libc.has(0, b"\x7fELG"));
        for outside in [1 << 40, u64::MAX - 8, 0u64.wrapping_sub(PAGE as u64)] {
            assert!(!libc.has(outside, &[0; 16]), "nothing is mapped there: {outside:#x}");
        }
    }
}
