//! Attributes of functions.

use std::ffi::CStr;

use inkwell::llvm_sys::core::{
    LLVMAddAttributeAtIndex, LLVMCreateEnumAttribute, LLVMCreateStringAttribute, LLVMGetEnumAttributeAtIndex,
    LLVMGetEnumAttributeKindForName, LLVMGetFunctionCallConv, LLVMGetStringAttributeAtIndex,
    LLVMGetStringAttributeValue, LLVMGetTypeContext, LLVMTypeOf,
};
use inkwell::llvm_sys::prelude::LLVMContextRef;
use inkwell::llvm_sys::{LLVMAttributeFunctionIndex, LLVMAttributeIndex};

use super::value::Value;

const FUNCTION: LLVMAttributeIndex = LLVMAttributeFunctionIndex;

fn enum_kind(name: &str) -> u32 {
    // SAFETY: LLVM reads `len` bytes and knows no state here; an unknown name gives 0.
    unsafe { LLVMGetEnumAttributeKindForName(name.as_ptr().cast(), name.len()) }
}

impl Value<'_> {
    pub(in crate::llvm) fn context(self) -> LLVMContextRef {
        // SAFETY: the value is live while its module is borrowed.
        unsafe { LLVMGetTypeContext(LLVMTypeOf(self.raw())) }
    }

    /// Value of a function's string attribute such as `"target-cpu"`.
    pub fn string_attribute(self, key: &str) -> Option<String> {
        if !self.is_function() {
            return None;
        }
        let len = u32::try_from(key.len()).ok()?;
        // SAFETY: it is a live function; LLVM reads `len` bytes and returns null when there is no such attribute;
        // the value belongs to the context and is copied at once.
        unsafe {
            let attribute = LLVMGetStringAttributeAtIndex(self.raw(), FUNCTION, key.as_ptr().cast(), len);
            if attribute.is_null() {
                return None;
            }
            let mut len = 0;
            let text = LLVMGetStringAttributeValue(attribute, &mut len);
            Some(String::from_utf8_lossy(std::slice::from_raw_parts(text.cast::<u8>(), len as usize)).into_owned())
        }
    }

    /// Whether a function has the attribute LLVM spells so: `naked`, `noreturn`.
    pub fn has_attribute(self, name: &str) -> bool {
        let kind = enum_kind(name);
        // SAFETY: it is a live function, and the kind is one LLVM knows.
        self.is_function() && kind != 0 && !unsafe { LLVMGetEnumAttributeAtIndex(self.raw(), FUNCTION, kind) }.is_null()
    }

    /// Whether a function has the calling convention `vectorcall`, which LLVM's `Mangler.cpp` writes into its name.
    pub fn is_vector_call(self) -> bool {
        /// `llvm::CallingConv::X86_VectorCall`.
        const VECTOR_CALL: u32 = 80;
        // SAFETY: it is a live function.
        self.is_function() && unsafe { LLVMGetFunctionCallConv(self.raw()) } == VECTOR_CALL
    }

    /// Gives a function a string attribute.
    pub fn set_string_attribute(self, key: &CStr, value: &CStr) {
        assert!(self.is_function(), "attributes are for functions");
        let len = |text: &CStr| u32::try_from(text.count_bytes()).expect("attributes are short");
        // SAFETY: it is a live function; LLVM copies both texts.
        unsafe {
            let attribute =
                LLVMCreateStringAttribute(self.context(), key.as_ptr(), len(key), value.as_ptr(), len(value));
            LLVMAddAttributeAtIndex(self.raw(), FUNCTION, attribute);
        }
    }

    /// Gives a function an attribute that has no value.
    pub fn set_attribute(self, name: &str) {
        assert!(self.is_function(), "attributes are for functions");
        let kind = enum_kind(name);
        assert!(kind != 0, "LLVM 19 has no attribute `{name}`");
        // SAFETY: it is a live function, and the kind is one LLVM knows.
        unsafe {
            LLVMAddAttributeAtIndex(self.raw(), FUNCTION, LLVMCreateEnumAttribute(self.context(), kind, 0));
        }
    }
}
