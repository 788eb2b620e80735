use std::ffi::{CStr, c_char};

use inkwell::llvm_sys::core::LLVMDisposeMessage;

/// Takes over a message that LLVM allocated.
pub(in crate::llvm) fn message(raw: *mut c_char) -> String {
    if raw.is_null() {
        return String::new();
    }
    // SAFETY: LLVM gave us a NUL-terminated message to dispose of; it is copied first and not used afterwards.
    unsafe {
        let text = CStr::from_ptr(raw).to_string_lossy().into_owned();
        LLVMDisposeMessage(raw);
        text
    }
}
