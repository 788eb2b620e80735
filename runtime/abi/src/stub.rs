//! What the plugin puts at and before a function's entry, and what arming writes there (x86-64).
//!
//! `armed` dispatch - nothing runs until a patch arms the function:
//! ```text
//! entry-16  8 bytes   function id (symbols::function_id), so that a wrong address is noticed before it is written to
//! entry-8   cc cc     int3: never executed
//! entry-6   ff 25 ..  jmp *slot(%rip)        the stub; its rel32 counts from `entry`
//! entry     f3 0f 1e fa  endbr64             only with -fcf-protection=branch
//! entry+arm .. ..     first instruction: at least 2 bytes, never the target of a jump inside the function
//! ```
//! Arming stores the slot, then the two bytes [`arm_bytes`] at `entry+arm` (`arm` is 0, or 4 behind endbr64)
//! in one aligned store: a short jump to `entry-6`.
//!
//! `always` dispatch - the text is never written:
//! ```text
//! entry     f3 0f 1e fa  endbr64             only with -fcf-protection=branch
//! entry+arm ff 25 ..  jmp *slot(%rip)        always taken
//! entry+arm+6         the body; the slot's first value
//! ```
//! Source of the 2-byte guarantee: LLVM's `PatchableFunction.cpp`, style `prologue-short-redirect`.

/// How calls reach the newest version of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Dispatch {
    /// The entry runs the body; a patch overwrites two bytes of it.
    Armed = 0,
    /// The entry always jumps through the slot; text is never written.
    Always = 1,
}

impl Dispatch {
    /// The dispatch with this number, if there is one.
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Armed),
            1 => Some(Self::Always),
            _ => None,
        }
    }
}

/// Bytes reserved before the entry of a function with dispatch `armed`.
pub const PREFIX_SIZE: u64 = 16;
/// `endbr64` (Intel SDM, CET): skipped when looking for the instruction to arm.
pub const ENDBR64: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa];
/// Opcode of `jmp *rel32(%rip)`.
pub const JMP_INDIRECT: [u8; 2] = [0xff, 0x25];
/// Length of `jmp *rel32(%rip)`.
pub const JMP_SIZE: u64 = 6;

/// The short jump from `entry+arm_offset` to the stub at `entry-6`; `None` for an offset that cannot reach it.
pub const fn arm_bytes(arm_offset: u8) -> Option<[u8; 2]> {
    match arm_offset {
        0 => Some([0xeb, 0xf8]),
        4 => Some([0xeb, 0xf4]),
        _ => None,
    }
}

/// Where an entry that starts with `bytes` is armed (0, or 4 behind `endbr64`).
pub fn arm_offset(bytes: &[u8]) -> u8 {
    if bytes.starts_with(&ENDBR64) { 4 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_jump_lands_on_the_stub() {
        for offset in [0u8, 4] {
            let [opcode, rel8] = arm_bytes(offset).expect("both offsets are in use");
            assert_eq!(opcode, 0xeb);
            let target = i64::from(offset) + 2 + i64::from(rel8 as i8);
            assert_eq!(target, -(JMP_SIZE as i64));
        }
        assert_eq!(arm_bytes(2), None);
    }

    #[test]
    fn endbr64_moves_the_armed_instruction() {
        assert_eq!(arm_offset(&[0xf3, 0x0f, 0x1e, 0xfa, 0x50]), 4);
        assert_eq!(arm_offset(&[0xf3, 0x0f, 0x1e]), 0);
    }
}
