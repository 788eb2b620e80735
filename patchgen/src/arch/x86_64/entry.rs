//! The entry of an instrumented function: its stub, decoded.

use dsu_abi::stub::{self, Dispatch};

/// Bytes kept before an entry.
pub const BEFORE: u64 = stub::PREFIX_SIZE;
/// Bytes kept from an entry on: endbr64 and the longest instruction.
pub const AFTER: u64 = 24;

/// Function id (dispatch `armed`; else 0) and slot, decoded from the text around an entry.
pub fn read_stub(entry: u64, dispatch: Dispatch, around: &[u8]) -> Option<(u64, u64)> {
    let (before, code) = around.split_at_checked(BEFORE as usize)?;
    let at = u64::from(stub::arm_offset(code));
    let (id, jump, base) = match dispatch {
        Dispatch::Armed => (u64::from_le_bytes(*before.first_chunk()?), before.get(10..)?, entry),
        Dispatch::Always => (0, code.get(at as usize..)?, entry + at + stub::JMP_SIZE),
    };
    let target = jump.strip_prefix(&stub::JMP_INDIRECT)?.first_chunk::<4>()?;
    Some((id, base.checked_add_signed(i64::from(i32::from_le_bytes(*target)))?))
}
