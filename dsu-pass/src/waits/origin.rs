//! Where a value comes from, as far as one function shows it.

use std::collections::HashSet;

use crate::llvm::{Opcode, Value};

/// The values that `value` is made of: parameters, constants, globals, results of calls. What is read through a pointer
/// comes from where the pointer comes from; what is read from a local variable, from what is stored to it.
pub(super) fn of(value: Value<'_>) -> Vec<Value<'_>> {
    let (mut seen, mut open, mut found) = (HashSet::new(), vec![value], Vec::new());
    while let Some(value) = open.pop() {
        if !seen.insert(value) {
            continue;
        }
        match value.opcode() {
            Some(Opcode::LLVMLoad | Opcode::LLVMGetElementPtr) => open.extend(value.operands().next()),
            Some(Opcode::LLVMPHI | Opcode::LLVMFreeze) => open.extend(value.operands()),
            Some(Opcode::LLVMSelect) => open.extend(value.operands().skip(1)),
            Some(Opcode::LLVMSExt | Opcode::LLVMZExt | Opcode::LLVMTrunc) => open.extend(value.operands().next()),
            Some(Opcode::LLVMAlloca) => match stores(value) {
                Some(stored) => open.extend(stored),
                None => found.push(value),
            },
            _ => found.push(value),
        }
    }
    found
}

/// What is stored to a local variable; `None` if others may store to it.
fn stores<'m>(variable: Value<'m>) -> Option<Vec<Value<'m>>> {
    let mut stored = Vec::new();
    for user in variable.users() {
        let mut operands = user.operands();
        match user.opcode() {
            Some(Opcode::LLVMLoad) => {}
            Some(Opcode::LLVMStore) if operands.next() != Some(variable) => stored.extend(user.operands().next()),
            Some(Opcode::LLVMCall) if user.callee().is_some_and(|callee| callee.name().starts_with("llvm.")) => {}
            _ => return None,
        }
    }
    Some(stored)
}

/// Whether two pointers are made in the same way, and so are the same unless something they are read from changed.
pub(super) fn same(a: Value<'_>, b: Value<'_>) -> bool {
    fn within(a: Value<'_>, b: Value<'_>, depth: u32) -> bool {
        if a == b {
            return true;
        }
        let Some(opcode) = a.opcode().filter(|_| is_transparent(a)) else { return false };
        depth > 0
            && b.opcode() == Some(opcode)
            && a.operands().count() == b.operands().count()
            && a.operands().zip(b.operands()).all(|(a, b)| within(a, b, depth - 1))
    }
    within(a, b, 6)
}

/// Whether an instruction only computes or reads.
pub(super) fn is_transparent(instruction: Value<'_>) -> bool {
    use Opcode::*;
    matches!(
        instruction.opcode(),
        Some(
            LLVMLoad | LLVMGetElementPtr | LLVMSExt | LLVMZExt | LLVMTrunc | LLVMPtrToInt | LLVMAdd | LLVMMul | LLVMShl
        )
    )
}
