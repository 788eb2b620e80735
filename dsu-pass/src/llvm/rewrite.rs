//! Rewrites of control flow.

use std::ffi::{CString, c_char};

use inkwell::llvm_sys::core::{LLVMGetNumOperands, LLVMGlobalGetValueType, LLVMSetOperand};
use inkwell::llvm_sys::prelude::{LLVMBasicBlockRef, LLVMValueRef};

use super::calls::{Builder, build_call};
use super::flow::Block;
use super::value::Value;

unsafe extern "C" {
    fn dsu_behind(call: LLVMValueRef, places: *mut LLVMValueRef) -> usize;
    fn dsu_split(before: LLVMValueRef) -> LLVMBasicBlockRef;
    fn dsu_copy(function: LLVMValueRef, suffix: *const c_char) -> LLVMValueRef;
    fn dsu_outline(blocks: *mut LLVMBasicBlockRef, count: usize, suffix: *const c_char) -> LLVMValueRef;
}

impl<'m> Value<'m> {
    /// Calls `procedure`, which takes and returns nothing, before this instruction. Gives the call.
    pub fn call_before(self, procedure: Value<'m>) -> Value<'m> {
        assert!(self.opcode().is_some(), "only before instructions is there a place");
        Value::from_raw(build_call(&Builder::before(self), procedure)).expect("LLVM has just made it")
    }

    /// The instructions with which execution goes on behind a call: one, or two behind an `invoke`. Blocks are split
    /// where others go on there too. None behind what is no call.
    pub fn places_behind(self) -> Vec<Value<'m>> {
        if self.callee().is_none() || self.is_must_tail() {
            return Vec::new();
        }
        let mut places = [std::ptr::null_mut(); 2];
        // SAFETY: it is a live call; the shim fills at most two places and says how many.
        let count = unsafe { dsu_behind(self.raw(), places.as_mut_ptr()) };
        places.iter().take(count).filter_map(|&place| Value::from_raw(place)).collect()
    }

    /// Makes a block of its own of this instruction and those behind it.
    pub fn split_before(self) -> Block<'m> {
        assert!(self.opcode().is_some(), "only instructions are in blocks");
        // SAFETY: it is a live instruction, no phi.
        Block::from_raw(unsafe { dsu_split(self.raw()) }).expect("LLVM has just made it")
    }
}

impl<'m> Value<'m> {
    /// A static copy of a function.
    pub fn copy(self, suffix: &str) -> Value<'m> {
        assert!(self.is_function() && !self.is_declaration(), "only a body can be copied");
        let suffix = CString::new(suffix).expect("names have no NUL");
        // SAFETY: it is a live function with a body; the name is copied.
        Value::from_raw(unsafe { dsu_copy(self.raw(), suffix.as_ptr()) }).expect("LLVM has just made it")
    }

    /// Makes a direct call a call of another function of the same type.
    pub fn call_instead(self, function: Value<'m>) {
        let old = self.callee().expect("only calls have a callee");
        assert!(old.is_function() && old.has_type_of(function), "another type would be another call");
        // SAFETY: it is a live call, whose last operand is the callee.
        unsafe {
            let last = LLVMGetNumOperands(self.raw()) - 1;
            LLVMSetOperand(self.raw(), u32::try_from(last).expect("a call has operands"), function.raw());
        }
    }

    fn has_type_of(self, other: Value<'m>) -> bool {
        // SAFETY: both are live functions.
        unsafe { LLVMGlobalGetValueType(self.raw()) == LLVMGlobalGetValueType(other.raw()) }
    }
}

/// Moves blocks of one function, entered by the first of them alone, into a function of their own, which is called in
/// their place. `None`, and nothing is moved, where LLVM will not.
pub fn outline<'m>(blocks: &[Block<'m>], suffix: &str) -> Option<Value<'m>> {
    let mut raw: Vec<_> = blocks.iter().map(|block| block.raw()).collect();
    let suffix = CString::new(suffix).expect("names have no NUL");
    // SAFETY: the blocks are live; the shim reads the array and copies the name.
    Value::from_raw(unsafe { dsu_outline(raw.as_mut_ptr(), raw.len(), suffix.as_ptr()) })
}
