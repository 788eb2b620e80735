//! LLVM's special-case lists.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::NonNull;

use super::error::{LlvmError, Result};

type Say = unsafe extern "C" fn(*mut c_void, *const c_char, usize);

unsafe extern "C" {
    fn dsu_list_open(path: *const c_char, len: usize, say: Say, sink: *mut c_void) -> *mut c_void;
    fn dsu_list_close(list: *mut c_void);
    fn dsu_list_line(list: *mut c_void, kind: *const c_char, name: *const c_char, len: usize) -> u32;
}

/// A list of special cases, as of clang's `-fsanitize-ignorelist`.
#[derive(Debug)]
pub struct SpecialCaseList {
    raw: NonNull<c_void>,
}

impl Drop for SpecialCaseList {
    fn drop(&mut self) {
        // SAFETY: made by `open`, closed once.
        unsafe { dsu_list_close(self.raw.as_ptr()) }
    }
}

/// Receives an error text.
///
/// # Safety
/// Called back by the shim during `open`: `sink` is its `String`, `text` points at `len` bytes.
unsafe extern "C" fn keep(sink: *mut c_void, text: *const c_char, len: usize) {
    // SAFETY: the caller vouches for both.
    unsafe {
        let text = std::slice::from_raw_parts(text.cast::<u8>(), len);
        *sink.cast::<String>() = String::from_utf8_lossy(text).into_owned();
    }
}

impl SpecialCaseList {
    /// Reads a list.
    ///
    /// # Errors
    /// With the file and line when it cannot be read or parsed.
    pub fn open(path: &str) -> Result<Self> {
        let mut error = String::new();
        // SAFETY: `path` is copied; `keep` is called with `error`, which outlives the call.
        let raw = unsafe { dsu_list_open(path.as_ptr().cast(), path.len(), keep, (&raw mut error).cast()) };
        NonNull::new(raw).map(|raw| Self { raw }).ok_or(LlvmError::List(error))
    }

    /// Line of the entry `kind:GLOB` that matches `name`, outside a section or in one that matches `dsu`.
    pub fn line(&self, kind: &CStr, name: &str) -> Option<u32> {
        // SAFETY: the list is open; kind and name are read during the call only.
        let line = unsafe { dsu_list_line(self.raw.as_ptr(), kind.as_ptr(), name.as_ptr().cast(), name.len()) };
        (line != 0).then_some(line)
    }
}
