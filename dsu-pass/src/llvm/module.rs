use std::ffi::{CStr, c_char};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;

use inkwell::llvm_sys::core::{
    LLVMAppendModuleInlineAsm, LLVMDisposeModule, LLVMGetFirstFunction, LLVMGetFirstGlobal, LLVMGetFirstGlobalAlias,
    LLVMGetFirstGlobalIFunc, LLVMGetModuleInlineAsm, LLVMGetNamedFunction, LLVMGetNamedGlobal, LLVMGetNextFunction,
    LLVMGetNextGlobal, LLVMGetNextGlobalAlias, LLVMGetNextGlobalIFunc, LLVMGetTarget,
};
use inkwell::llvm_sys::prelude::{LLVMModuleRef, LLVMValueRef};

use super::error::{LlvmError, Result};
use super::value::Value;

/// A translation unit.
// Not an inkwell module inside: that is invariant in its lifetime, which no handle could then be tied to.
#[derive(Debug)]
pub struct Module<'ctx> {
    raw: LLVMModuleRef,
    owned: bool,
    context: PhantomData<&'ctx ()>,
}

impl Drop for Module<'_> {
    fn drop(&mut self) {
        if self.owned {
            // SAFETY: made by `owned`, disposed of once, with no handle left: they borrow it.
            unsafe { LLVMDisposeModule(self.raw) }
        }
    }
}

impl<'ctx> Module<'ctx> {
    pub(in crate::llvm) fn owned(inner: inkwell::module::Module<'ctx>) -> Self {
        Self { raw: ManuallyDrop::new(inner).as_mut_ptr(), owned: true, context: PhantomData }
    }

    /// A module that somebody else owns and outlives `'ctx`.
    ///
    /// # Safety
    /// `raw` must be a live module of one thread's context for all of `'ctx`.
    pub(in crate::llvm) unsafe fn borrowed(raw: LLVMModuleRef) -> Self {
        Self { raw, owned: false, context: PhantomData }
    }

    pub(in crate::llvm) fn raw(&self) -> LLVMModuleRef {
        self.raw
    }

    /// The same module as inkwell sees it, never to be dropped.
    fn inkwell(&self) -> ManuallyDrop<inkwell::module::Module<'ctx>> {
        // SAFETY: the module is live while `self` is, and `ManuallyDrop` leaves disposing of it to `self`.
        ManuallyDrop::new(unsafe { inkwell::module::Module::new(self.raw) })
    }

    /// Path of the main source file as the compiler was given it.
    pub fn source_file_name(&self) -> String {
        self.inkwell().get_source_file_name().to_string_lossy().into_owned()
    }

    /// Target triple, such as `x86_64-pc-linux-gnu`.
    pub fn triple(&self) -> String {
        // SAFETY: the module is live; the string belongs to it and is copied at once.
        unsafe { CStr::from_ptr(LLVMGetTarget(self.raw())) }.to_string_lossy().into_owned()
    }

    /// The module as IR text.
    pub fn to_text(&self) -> String {
        self.inkwell().print_to_string().to_string()
    }

    /// The module as bitcode.
    pub fn to_bitcode(&self) -> Vec<u8> {
        self.inkwell().write_bitcode_to_memory().as_slice().to_vec()
    }

    /// Removes all debug information; false if there was none.
    pub fn strip_debug(&self) -> bool {
        self.inkwell().strip_debug_info()
    }

    /// Runs LLVM's verifier.
    ///
    /// # Errors
    /// With the verifier's words when the module is broken.
    pub fn verify(&self) -> Result<()> {
        self.inkwell().verify().map_err(|e| LlvmError::Verify(e.to_string()))
    }

    /// Assembly of the module itself (`asm("...")` at file level).
    pub fn inline_asm(&self) -> String {
        let mut len = 0;
        // SAFETY: the module is live; LLVM returns `len` bytes that belong to it, copied at once.
        let bytes = unsafe {
            let text: *const c_char = LLVMGetModuleInlineAsm(self.raw(), &mut len);
            if len == 0 { &[] } else { std::slice::from_raw_parts(text.cast::<u8>(), len) }
        };
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// Adds assembly of the module itself.
    pub fn append_inline_asm(&self, asm: &str) {
        // SAFETY: the module is live; LLVM copies `asm.len()` bytes.
        unsafe { LLVMAppendModuleInlineAsm(self.raw(), asm.as_ptr().cast(), asm.len()) }
    }

    /// The function of this name, defined or declared.
    pub fn function(&self, name: &str) -> Option<Value<'_>> {
        let name = std::ffi::CString::new(name).ok()?;
        // SAFETY: the module is live, the name NUL-terminated; null means there is none.
        Value::from_raw(unsafe { LLVMGetNamedFunction(self.raw(), name.as_ptr()) })
    }

    /// The variable of this name, defined or declared.
    pub fn global(&self, name: &str) -> Option<Value<'_>> {
        let name = std::ffi::CString::new(name).ok()?;
        // SAFETY: as in `function`.
        Value::from_raw(unsafe { LLVMGetNamedGlobal(self.raw(), name.as_ptr()) })
    }

    /// All functions, in module order, declarations included.
    pub fn functions(&self) -> impl Iterator<Item = Value<'_>> {
        self.list(LLVMGetFirstFunction, LLVMGetNextFunction)
    }

    /// All variables, in module order, declarations included.
    pub fn globals(&self) -> impl Iterator<Item = Value<'_>> {
        self.list(LLVMGetFirstGlobal, LLVMGetNextGlobal)
    }

    /// All aliases, in module order.
    pub fn aliases(&self) -> impl Iterator<Item = Value<'_>> {
        self.list(LLVMGetFirstGlobalAlias, LLVMGetNextGlobalAlias)
    }

    /// All ifuncs, in module order.
    pub fn ifuncs(&self) -> impl Iterator<Item = Value<'_>> {
        self.list(LLVMGetFirstGlobalIFunc, LLVMGetNextGlobalIFunc)
    }

    fn list(
        &self,
        first: unsafe extern "C" fn(LLVMModuleRef) -> LLVMValueRef,
        next: unsafe extern "C" fn(LLVMValueRef) -> LLVMValueRef,
    ) -> impl Iterator<Item = Value<'_>> {
        // SAFETY: the module is live while borrowed; each `first` is called on a module.
        let start = Value::from_raw(unsafe { first(self.raw()) });
        // SAFETY: `next` is called on members of the list that its `first` began.
        std::iter::successors(start, move |value| Value::from_raw(unsafe { next(value.raw()) }))
    }
}
