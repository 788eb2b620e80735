//! `.note.dsu`: an allocated ELF note per translation unit, merged by the linker into `PT_NOTE`, so that
//! a running process (and `dsuctl` on its file) can tell what is updatable without any symbol.

use crate::cursor::{Cursor, FormatError, Result, slice};
use crate::stub::Dispatch;

/// Owner name of the note, with its NUL.
pub const OWNER: &[u8; 4] = b"DSU\0";
/// Owner name of the GNU tools' notes.
pub const GNU: &[u8] = b"GNU\0";
/// Their note type: the build-id (`NT_GNU_BUILD_ID`).
pub const TYPE_BUILD_ID: u32 = 3;
/// Note type: one instrumented translation unit.
pub const TYPE_UNIT: u32 = 1;
/// Note type: a copy of the runtime, one for each module that was linked with it. The descriptor is one word, the
/// distance from itself to a word of 32 bits: 0 as long as the module is being loaded, [`SERVING`] when this copy serves
/// the process, [`LOADED`] or a number by which the copy that serves knows this loading of the module.
pub const TYPE_RUNTIME: u32 = 2;
/// See [`TYPE_RUNTIME`].
pub const SERVING: u32 = 1;
/// See [`TYPE_RUNTIME`].
pub const LOADED: u32 = 2;
/// Version of the descriptor.
pub const VERSION: u32 = 1;
/// Bytes of the descriptor.
pub const DESC_SIZE: u32 = 20;

/// Descriptor of one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitNote {
    /// How its functions dispatch.
    pub dispatch: Dispatch,
    /// Updatable functions emitted by the unit (before the linker's garbage collection).
    pub functions: u32,
    /// Quiescence points emitted by the unit.
    pub points: u32,
    /// Functions left alone, each reported with its reason when building.
    pub skipped: u32,
}

impl UnitNote {
    /// The descriptor's bytes.
    pub fn to_bytes(&self) -> [u8; DESC_SIZE as usize] {
        let mut out = [0; DESC_SIZE as usize];
        let words = [VERSION, self.dispatch as u32, self.functions, self.points, self.skipped];
        for (place, word) in out.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        out
    }

    /// Reads a descriptor.
    pub fn parse(desc: &[u8]) -> Result<Self> {
        let mut c = Cursor::new(desc, "note `.note.dsu`: descriptor too short");
        if c.u32()? != VERSION {
            return Err(FormatError("note `.note.dsu`: unknown version"));
        }
        let dispatch = u8::try_from(c.u32()?).ok().and_then(Dispatch::from_number);
        Ok(Self {
            dispatch: dispatch.ok_or(FormatError("note `.note.dsu`: unknown dispatch"))?,
            functions: c.u32()?,
            points: c.u32()?,
            skipped: c.u32()?,
        })
    }
}

/// One ELF note: owner (with NUL), type, descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElfNote<'a> {
    /// Owner name, its NUL included.
    pub owner: &'a [u8],
    /// Type, in the owner's numbering.
    pub kind: u32,
    /// Descriptor.
    pub desc: &'a [u8],
}

/// The notes of one `PT_NOTE` segment; `align` is the segment's alignment (4, or 8 for GNU properties).
/// Stops at the first malformed note: what follows cannot be located.
pub fn notes(segment: &[u8], align: u64) -> impl Iterator<Item = ElfNote<'_>> {
    // Two branches, in each of which the compiler sees that it does not divide by zero.
    let aligned = move |at: u64| if align == 8 { at.next_multiple_of(8) } else { at.next_multiple_of(4) };
    let mut at = 0u64;
    core::iter::from_fn(move || {
        const WHAT: &str = "ELF note is too short";
        let mut head = Cursor::new(slice(segment, at, 12, WHAT).ok()?, WHAT);
        let (owner_len, desc_len, kind) = (head.u32().ok()?, head.u32().ok()?, head.u32().ok()?);
        let owner = slice(segment, at + 12, owner_len.into(), WHAT).ok()?;
        let desc_at = aligned(at + 12 + u64::from(owner_len));
        let desc = slice(segment, desc_at, desc_len.into(), WHAT).ok()?;
        at = aligned(desc_at + u64::from(desc_len));
        Some(ElfNote { owner, kind, desc })
    })
}

/// The unit notes of one `PT_NOTE` segment; unreadable ones are passed over.
pub fn unit_notes(segment: &[u8], align: u64) -> impl Iterator<Item = UnitNote> {
    notes(segment, align)
        .filter(|n| n.owner == OWNER && n.kind == TYPE_UNIT)
        .filter_map(|n| UnitNote::parse(n.desc).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(owner: &[u8; 4], kind: u32, desc: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for word in [4, desc.len() as u32, kind] {
            out.extend_from_slice(&u32::to_le_bytes(word));
        }
        out.extend_from_slice(owner);
        out.extend_from_slice(desc);
        out
    }

    const UNIT: UnitNote = UnitNote { dispatch: Dispatch::Always, functions: 7, points: 1, skipped: 2 };

    #[test]
    fn notes_come_back_as_written() {
        let mut segment = note(b"GNU\0", 3, &[1, 2, 3, 4]);
        segment.extend(note(OWNER, TYPE_UNIT, &UNIT.to_bytes()));
        segment.extend(note(OWNER, TYPE_UNIT, &UNIT.to_bytes()));
        let build_id = notes(&segment, 4).find(|n| n.owner == GNU && n.kind == TYPE_BUILD_ID).map(|n| n.desc);
        assert_eq!(build_id, Some(&[1, 2, 3, 4][..]));
        assert_eq!(unit_notes(&segment, 4).collect::<Vec<_>>(), [UNIT, UNIT]);
    }

    #[test]
    fn a_truncated_or_unknown_note_is_no_note() {
        let whole = note(OWNER, TYPE_UNIT, &UNIT.to_bytes());
        for len in 0..whole.len() {
            assert_eq!(unit_notes(&whole[..len], 4).count(), 0, "{len} bytes");
        }
        let mut newer = UNIT.to_bytes();
        newer[0] = 9;
        assert_eq!(UnitNote::parse(&newer), Err(FormatError("note `.note.dsu`: unknown version")));
    }
}
