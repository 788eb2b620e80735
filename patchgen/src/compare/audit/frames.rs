//! `.eh_frame`: how to unwind each piece of code, which has to be the same where the code is.

use crate::build::image::Section;

/// A frame description entry, with what matters of its common entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    /// Where its code begins.
    pub(super) start: u64,
    /// How much code it is about.
    pub(super) length: u64,
    /// Augmentation, alignment factors and return register.
    pub(super) head: &'a [u8],
    /// Instructions of the common entry, then its own, without what fills up.
    pub(super) rules: [&'a [u8]; 2],
    /// The personality routine, or the word that holds its address.
    pub(super) personality: Option<u64>,
    /// Its table for the personality routine.
    pub(super) table: Option<u64>,
}

const PC_RELATIVE: u8 = 0x10;
const OMITTED: u8 = 0xff;

/// Reads what is understood; an entry that is not leaves its code without a frame on both sides.
pub(super) fn read<'a>(sections: impl Iterator<Item = &'a Section>) -> Vec<Frame<'a>> {
    let mut out = Vec::new();
    for section in sections {
        let mut at = 0usize;
        while let Some((length, id)) = entry(&section.bytes, at) {
            let end = at + 4 + length;
            if length == 0 || end > section.bytes.len() {
                break;
            }
            if id != 0 {
                let mut cursor = Cursor { bytes: &section.bytes[..end], at: at + 8, base: section.address };
                out.extend(frame(&mut cursor, at + 4 - id as usize, &section.bytes));
            }
            at = end;
        }
    }
    out.sort_by_key(|f| f.start);
    out
}

fn entry(bytes: &[u8], at: usize) -> Option<(usize, u32)> {
    let number = |at: usize| bytes.get(at..)?.first_chunk::<4>().map(|b| u32::from_le_bytes(*b));
    Some((number(at)? as usize, number(at + 4)?))
}

/// What a common entry says.
struct Common<'a> {
    head: &'a [u8],
    rules: &'a [u8],
    personality: Option<u64>,
    code: u8,
    table: u8,
    augmented: bool,
}

fn frame<'a>(cursor: &mut Cursor<'a>, common_at: usize, bytes: &'a [u8]) -> Option<Frame<'a>> {
    let common = common(common_at, bytes, cursor.base)?;
    let start = cursor.pointer(common.code)?;
    let length = cursor.pointer(common.code & 0x0f)?;
    let mut table = None;
    if common.augmented {
        let size = cursor.number()? as usize;
        let rules_at = cursor.at.checked_add(size)?;
        if common.table != OMITTED && size != 0 {
            let place = cursor.at;
            let zero = cursor.bytes.get(place..)?.iter().take(4).all(|b| *b == 0);
            table = cursor.pointer(common.table).filter(|_| !zero);
        }
        cursor.at = rules_at;
    }
    let rules = trimmed(cursor.bytes.get(cursor.at..)?);
    let Common { head, personality, .. } = common;
    Some(Frame { start, length, head, rules: [common.rules, rules], personality, table })
}

fn common(at: usize, bytes: &[u8], base: u64) -> Option<Common<'_>> {
    let (length, id) = entry(bytes, at)?;
    let bytes = bytes.get(..at.checked_add(4)?.checked_add(length)?)?;
    let mut cursor = Cursor { bytes, at: at + 8, base };
    let head_at = cursor.at;
    if id != 0 {
        return None;
    }
    cursor.at += 1;
    let letters_at = cursor.at;
    while cursor.byte()? != 0 {}
    let letters = bytes.get(letters_at..cursor.at - 1)?;
    cursor.number()?;
    cursor.number()?;
    cursor.number()?;
    let head = bytes.get(head_at..cursor.at)?;
    let mut common = Common { head, rules: &[], personality: None, code: 0, table: OMITTED, augmented: false };
    let mut letters = letters.iter();
    if letters.as_slice().first() == Some(&b'z') {
        letters.next();
        common.augmented = true;
        let size = cursor.number()? as usize;
        let rules_at = cursor.at.checked_add(size)?;
        for letter in letters {
            match letter {
                b'R' => common.code = cursor.byte()?,
                b'L' => common.table = cursor.byte()?,
                b'P' => {
                    let encoding = cursor.byte()?;
                    common.personality = cursor.pointer(encoding);
                }
                _ => {}
            }
        }
        cursor.at = rules_at;
    }
    common.rules = trimmed(bytes.get(cursor.at..)?);
    Some(common)
}

/// Without the zeros (`DW_CFA_nop`) at the end.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
    &bytes[..end]
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    base: u64,
}

impl Cursor<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// LEB128; the sign does not matter where these are compared.
    fn number(&mut self) -> Option<u64> {
        let (mut out, mut shift) = (0u64, 0);
        loop {
            let byte = self.byte()?;
            out |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            shift += 7;
            if byte & 0x80 == 0 {
                return Some(out);
            }
        }
    }

    fn pointer(&mut self, encoding: u8) -> Option<u64> {
        let place = self.base + self.at as u64;
        let rest = self.bytes.get(self.at..)?;
        let (value, size) = match encoding & 0x0f {
            0x00 | 0x04 | 0x0c => (u64::from_le_bytes(*rest.first_chunk()?), 8),
            0x03 => (u64::from(u32::from_le_bytes(*rest.first_chunk()?)), 4),
            0x0b => (i64::from(i32::from_le_bytes(*rest.first_chunk()?)) as u64, 4),
            _ => return None,
        };
        self.at += size;
        let relative = encoding & 0x70 == PC_RELATIVE;
        Some(if relative { value.wrapping_add(place) } else { value })
    }
}
