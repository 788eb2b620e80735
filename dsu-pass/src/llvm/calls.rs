//! Calls, and the little code the plugin puts beside them.

use std::ffi::CString;
use std::marker::PhantomData;

use inkwell::llvm_sys::core::{
    LLVMAddFunction, LLVMAddGlobal, LLVMBuildCall2, LLVMBuildICmp, LLVMBuildLoad2, LLVMCreateBuilderInContext,
    LLVMDisposeBuilder, LLVMFunctionType, LLVMGetBasicBlockParent, LLVMGetCalledValue, LLVMGetDebugLocLine,
    LLVMGetFirstUse, LLVMGetInstructionParent, LLVMGetModuleContext, LLVMGetNextUse, LLVMGetUser,
    LLVMGlobalGetValueType, LLVMInstructionEraseFromParent, LLVMInt8TypeInContext, LLVMInt32TypeInContext,
    LLVMIsACallBrInst, LLVMIsACallInst, LLVMIsAInvokeInst, LLVMPositionBuilderBefore, LLVMSetOrdering,
    LLVMSetThreadLocalMode, LLVMVoidTypeInContext,
};
use inkwell::llvm_sys::prelude::{LLVMBuilderRef, LLVMTypeRef, LLVMValueRef};
use inkwell::llvm_sys::{LLVMAtomicOrdering, LLVMIntPredicate, LLVMThreadLocalMode};

use super::module::Module;
use super::value::Value;

unsafe extern "C" {
    fn dsu_split_if_then(condition: LLVMValueRef, before: LLVMValueRef) -> LLVMValueRef;
    fn dsu_call_of_invoke(invoke: LLVMValueRef) -> LLVMValueRef;
}

/// A call of a named function. Not `Copy`: [`Call::remove`] ends it.
#[derive(Debug)]
pub struct Call<'m> {
    raw: LLVMValueRef,
    module: PhantomData<&'m ()>,
}

/// A builder, disposed of when dropped.
pub(in crate::llvm) struct Builder(LLVMBuilderRef);

impl Builder {
    pub(in crate::llvm) fn before(instruction: Value<'_>) -> Self {
        // SAFETY: the instruction is live; the builder is disposed of once, by its owner.
        unsafe {
            let builder = LLVMCreateBuilderInContext(instruction.context());
            LLVMPositionBuilderBefore(builder, instruction.raw());
            Self(builder)
        }
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        // SAFETY: made in `before`, not disposed of yet.
        unsafe { LLVMDisposeBuilder(self.0) }
    }
}

impl Module<'_> {
    /// The direct calls of the function of this name.
    pub fn calls_of(&self, name: &str) -> Vec<Call<'_>> {
        let Some(callee) = self.function(name) else { return Vec::new() };
        let calls = callee.users().filter(|user| user.callee() == Some(callee));
        let mut calls: Vec<_> = calls.map(|user| Call { raw: user.raw(), module: PhantomData }).collect();
        // Lists of uses are in no useful order.
        calls.sort_by_cached_key(|call| (call.caller().name(), call.line()));
        calls
    }

    /// A 32-bit variable defined elsewhere. A thread-local one lies in the static TLS block: the runtime is
    /// linked into the program, or loaded with it.
    pub fn external_u32(&self, name: &str, thread_local: bool) -> Value<'_> {
        // SAFETY: the module is live, and with it its context.
        let variable = self.external(name, unsafe { LLVMInt32TypeInContext(LLVMGetModuleContext(self.raw())) });
        if thread_local {
            // SAFETY: it is a live variable.
            unsafe { LLVMSetThreadLocalMode(variable.raw(), LLVMThreadLocalMode::LLVMInitialExecTLSModel) }
        }
        variable
    }

    /// Something defined elsewhere that is only named, never loaded.
    pub fn external_byte(&self, name: &str) -> Value<'_> {
        // SAFETY: the module is live, and with it its context.
        self.external(name, unsafe { LLVMInt8TypeInContext(LLVMGetModuleContext(self.raw())) })
    }

    fn external(&self, name: &str, kind: LLVMTypeRef) -> Value<'_> {
        if let Some(known) = self.global(name) {
            return known;
        }
        let name = CString::new(name).expect("names have no NUL");
        // SAFETY: the module and the type are live; the name is copied.
        let variable = unsafe { LLVMAddGlobal(self.raw(), kind, name.as_ptr()) };
        Value::from_raw(variable).expect("LLVM has just made it")
    }

    /// A function defined elsewhere that takes and returns nothing, does not throw.
    pub fn external_procedure(&self, name: &str) -> Value<'_> {
        if let Some(known) = self.function(name) {
            return known;
        }
        let name = CString::new(name).expect("names have no NUL");
        // SAFETY: the module is live; the name is copied.
        let function = unsafe {
            let kind =
                LLVMFunctionType(LLVMVoidTypeInContext(LLVMGetModuleContext(self.raw())), std::ptr::null_mut(), 0, 0);
            LLVMAddFunction(self.raw(), name.as_ptr(), kind)
        };
        let function = Value::from_raw(function).expect("LLVM has just made it");
        function.set_attribute("nounwind");
        function
    }
}

impl<'m> Value<'m> {
    /// What refers to it, once for each reference.
    pub fn users(self) -> impl Iterator<Item = Value<'m>> {
        // SAFETY: the value is live; null means there is no use.
        let first = unsafe { LLVMGetFirstUse(self.raw()) };
        let uses = std::iter::successors((!first.is_null()).then_some(first), |&current| {
            // SAFETY: a member of a live value's list of uses.
            let next = unsafe { LLVMGetNextUse(current) };
            (!next.is_null()).then_some(next)
        });
        // SAFETY: as above.
        uses.filter_map(|one| Value::from_raw(unsafe { LLVMGetUser(one) }))
    }

    /// What a call instruction calls; `None` for any other value.
    pub fn callee(self) -> Option<Value<'m>> {
        // SAFETY: the value is live; only calls are asked for their callee.
        unsafe {
            let call = [LLVMIsACallInst(self.raw()), LLVMIsAInvokeInst(self.raw()), LLVMIsACallBrInst(self.raw())];
            call.iter().any(|call| !call.is_null()).then(|| Value::from_raw(LLVMGetCalledValue(self.raw()))).flatten()
        }
    }

    /// Whether a function can be reached other than by direct calls (addresses of its labels do not count).
    pub fn has_address_taken(self) -> bool {
        let mut users = self.users().filter(|user| user.kind() != super::ValueKind::LLVMBlockAddressValueKind);
        users.any(|user| {
            let as_argument = user.operands().filter(|operand| *operand == self).count() > 1;
            user.callee() != Some(self) || as_argument
        })
    }
}

impl<'m> Call<'m> {
    fn value(&self) -> Value<'m> {
        Value::from_raw(self.raw).expect("made from a live instruction")
    }

    /// The function that contains the call.
    pub fn caller(&self) -> Value<'m> {
        // SAFETY: the call is live and in a function.
        let function = unsafe { LLVMGetBasicBlockParent(LLVMGetInstructionParent(self.raw)) };
        Value::from_raw(function).expect("calls are in functions")
    }

    /// Source line, 0 when unknown.
    pub fn line(&self) -> u32 {
        // SAFETY: the call is live.
        unsafe { LLVMGetDebugLocLine(self.raw) }
    }

    /// Loads two variables before the call: the first with an atomic load, for another thread writes it.
    pub fn words_differ_before(&self, shared: Value<'m>, own: Value<'m>) -> Value<'m> {
        let builder = Builder::before(self.value());
        // SAFETY: builder and values are live; both are 32-bit variables.
        let differs = unsafe {
            let load = |variable: Value<'_>| {
                LLVMBuildLoad2(builder.0, LLVMGlobalGetValueType(variable.raw()), variable.raw(), c"".as_ptr())
            };
            let (shared, own) = (load(shared), load(own));
            LLVMSetOrdering(shared, LLVMAtomicOrdering::LLVMAtomicOrderingMonotonic);
            LLVMBuildICmp(builder.0, LLVMIntPredicate::LLVMIntNE, shared, own, c"".as_ptr())
        };
        Value::from_raw(differs).expect("LLVM has just made it")
    }

    /// Calls `procedure` before the call when `condition` holds, out of line.
    pub fn call_before_if(&self, condition: Value<'m>, procedure: Value<'m>) {
        // SAFETY: condition and call are live, and the condition comes before the call.
        let then = unsafe { dsu_split_if_then(condition.raw(), self.raw) };
        let builder = Builder::before(Value::from_raw(then).expect("a block ends in an instruction"));
        build_call(&builder, procedure);
    }

    /// Calls `procedure` before the call.
    pub fn call_before(&self, procedure: Value<'m>) {
        build_call(&Builder::before(self.value()), procedure);
    }

    /// Removes the call, which returns nothing and does not throw.
    pub fn remove(self) {
        // SAFETY: the call is live and, returning nothing, has no uses; `self` was its handle. An invoke goes on at
        // its normal destination, as a call that then goes too.
        unsafe {
            let call = if LLVMIsAInvokeInst(self.raw).is_null() { self.raw } else { dsu_call_of_invoke(self.raw) };
            LLVMInstructionEraseFromParent(call);
        }
    }
}

/// Calls `procedure`, which takes and returns nothing.
pub(in crate::llvm) fn build_call(builder: &Builder, procedure: Value<'_>) -> LLVMValueRef {
    // SAFETY: builder and procedure are live; the type is the function's own.
    unsafe {
        let kind = LLVMGlobalGetValueType(procedure.raw());
        LLVMBuildCall2(builder.0, kind, procedure.raw(), std::ptr::null_mut(), 0, c"".as_ptr())
    }
}
