//! Control flow: the blocks of a function, and what its instructions are.

use std::marker::PhantomData;

use inkwell::llvm_sys::LLVMTailCallKind;
use inkwell::llvm_sys::LLVMTypeKind;
use inkwell::llvm_sys::core::{
    LLVMConstIntGetSExtValue, LLVMCountParams, LLVMGetBasicBlockParent, LLVMGetBasicBlockTerminator,
    LLVMGetDebugLocLine, LLVMGetFirstBasicBlock, LLVMGetFirstInstruction, LLVMGetInstructionOpcode,
    LLVMGetInstructionParent, LLVMGetIntTypeWidth, LLVMGetNextBasicBlock, LLVMGetNextInstruction,
    LLVMGetNumArgOperands, LLVMGetNumSuccessors, LLVMGetOperand, LLVMGetParam, LLVMGetReturnType, LLVMGetSuccessor,
    LLVMGetTailCallKind, LLVMGetTypeKind, LLVMGlobalGetValueType, LLVMIsACallInst, LLVMIsAConstantInt,
    LLVMIsAInstruction, LLVMIsAInvokeInst, LLVMTypeOf,
};
use inkwell::llvm_sys::prelude::{LLVMBasicBlockRef, LLVMTypeRef};

use super::value::{Value, ValueKind};

pub use inkwell::llvm_sys::LLVMOpcode as Opcode;

/// A basic block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Block<'m> {
    raw: LLVMBasicBlockRef,
    module: PhantomData<&'m ()>,
}

impl<'m> Block<'m> {
    pub(in crate::llvm) fn from_raw(raw: LLVMBasicBlockRef) -> Option<Self> {
        (!raw.is_null()).then_some(Self { raw, module: PhantomData })
    }

    pub(in crate::llvm) fn raw(self) -> LLVMBasicBlockRef {
        self.raw
    }

    /// The function it is in.
    pub fn function(self) -> Option<Value<'m>> {
        // SAFETY: the block lives as long as its module, which `'m` borrows.
        Value::from_raw(unsafe { LLVMGetBasicBlockParent(self.raw) })
    }

    /// Its instructions, in order.
    pub fn instructions(self) -> impl Iterator<Item = Value<'m>> {
        // SAFETY: the block lives as long as its module, which `'m` borrows; null means it has none.
        let first = Value::from_raw(unsafe { LLVMGetFirstInstruction(self.raw) });
        // SAFETY: as above, for a member of the block's list.
        std::iter::successors(first, |value| Value::from_raw(unsafe { LLVMGetNextInstruction(value.raw()) }))
    }

    /// Its last instruction, which says where it goes on.
    pub fn terminator(self) -> Option<Value<'m>> {
        // SAFETY: as in `instructions`.
        Value::from_raw(unsafe { LLVMGetBasicBlockTerminator(self.raw) })
    }

    /// Where it goes on, once for each edge.
    pub fn successors(self) -> Vec<Block<'m>> {
        let Some(terminator) = self.terminator() else { return Vec::new() };
        // SAFETY: it is a live terminator, and the index is below the number of its successors.
        let successor = |index| unsafe { LLVMGetSuccessor(terminator.raw(), index) };
        // SAFETY: as above.
        let count = unsafe { LLVMGetNumSuccessors(terminator.raw()) };
        (0..count).filter_map(|index| Block::from_raw(successor(index))).collect()
    }

    /// The first instruction that is no phi: something may be put before it, unless the block is where exceptions land.
    pub fn first_place(self) -> Option<Value<'m>> {
        use Opcode::*;
        let first = self.instructions().find(|instruction| instruction.opcode() != Some(LLVMPHI))?;
        let lands = matches!(first.opcode(), Some(LLVMLandingPad | LLVMCatchPad | LLVMCleanupPad | LLVMCatchSwitch));
        (!lands).then_some(first)
    }
}

impl<'m> Value<'m> {
    /// The blocks of a function; none for anything else.
    pub fn blocks(self) -> Vec<Block<'m>> {
        if !self.is_function() {
            return Vec::new();
        }
        // SAFETY: it is a live function; null ends the list.
        let first = Block::from_raw(unsafe { LLVMGetFirstBasicBlock(self.raw()) });
        // SAFETY: a member of the function's list.
        std::iter::successors(first, |block| Block::from_raw(unsafe { LLVMGetNextBasicBlock(block.raw) })).collect()
    }

    /// What an instruction does; `None` for any other value.
    pub fn opcode(self) -> Option<Opcode> {
        // SAFETY: the value is live; only instructions are asked for their opcode.
        unsafe { (!LLVMIsAInstruction(self.raw()).is_null()).then(|| LLVMGetInstructionOpcode(self.raw())) }
    }

    /// The block of an instruction.
    pub fn block(self) -> Option<Block<'m>> {
        self.opcode()?;
        // SAFETY: it is a live instruction.
        Block::from_raw(unsafe { LLVMGetInstructionParent(self.raw()) })
    }

    /// The instruction behind it in its block.
    pub fn next(self) -> Option<Value<'m>> {
        self.opcode()?;
        // SAFETY: it is a live instruction; null means it is the last.
        Value::from_raw(unsafe { LLVMGetNextInstruction(self.raw()) })
    }

    /// Source line of an instruction, 0 when unknown.
    pub fn line(self) -> u32 {
        // SAFETY: it is a live instruction.
        if self.opcode().is_some() { unsafe { LLVMGetDebugLocLine(self.raw()) } } else { 0 }
    }

    /// What a call hands over; nothing for any other value.
    pub fn arguments(self) -> Vec<Value<'m>> {
        if self.callee().is_none() {
            return Vec::new();
        }
        // SAFETY: it is a live call; its arguments are its first operands.
        unsafe {
            let count = LLVMGetNumArgOperands(self.raw());
            (0..count).filter_map(|index| Value::from_raw(LLVMGetOperand(self.raw(), index))).collect()
        }
    }

    /// Whether a call is a `musttail` call, behind which nothing may stand.
    pub fn is_must_tail(self) -> bool {
        // SAFETY: the value is live; only call instructions are asked.
        unsafe {
            !LLVMIsACallInst(self.raw()).is_null()
                && LLVMGetTailCallKind(self.raw()) == LLVMTailCallKind::LLVMTailCallKindMustTail
        }
    }

    /// Whether it is a call that may go on at a landing pad.
    pub fn is_invoke(self) -> bool {
        // SAFETY: the value is live.
        !unsafe { LLVMIsAInvokeInst(self.raw()) }.is_null()
    }

    /// Value of a constant integer.
    pub fn number(self) -> Option<i64> {
        // SAFETY: the value is live; only constant integers of at most 64 bits are read as numbers.
        unsafe {
            let constant = LLVMIsAConstantInt(self.raw());
            let narrow = !constant.is_null() && LLVMGetIntTypeWidth(LLVMTypeOf(constant)) <= 64;
            narrow.then(|| LLVMConstIntGetSExtValue(constant))
        }
    }

    /// The parameters of a function.
    pub fn parameters(self) -> Vec<Value<'m>> {
        if !self.is_function() {
            return Vec::new();
        }
        // SAFETY: it is a live function, and the index is below the number of its parameters.
        unsafe {
            let count = LLVMCountParams(self.raw());
            (0..count).filter_map(|index| Value::from_raw(LLVMGetParam(self.raw(), index))).collect()
        }
    }

    /// Whether it is a function `void *(void *)`, as a thread starts in.
    pub fn is_like_a_thread_main(self) -> bool {
        // SAFETY: the types are those of live values.
        let pointer = |kind: LLVMTypeRef| unsafe { LLVMGetTypeKind(kind) } == LLVMTypeKind::LLVMPointerTypeKind;
        let parameters = self.parameters();
        if parameters.len() != 1 {
            return false;
        }
        // SAFETY: it is a live function, whose value type is a function type.
        unsafe {
            pointer(LLVMTypeOf(parameters[0].raw())) && pointer(LLVMGetReturnType(LLVMGlobalGetValueType(self.raw())))
        }
    }

    /// Whether a value was made by the function it stands in, and is a parameter of it.
    pub fn is_parameter(self) -> bool {
        self.kind() == ValueKind::LLVMArgumentValueKind
    }
}
