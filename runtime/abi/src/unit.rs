//! `.debug.dsu_bc`: the past a program carries - one record per translation unit, holding the bitcode as it
//! was after optimisation and before instrumentation.
//!
//! The name begins with `.debug` for a reason. A linker keeps such sections under `--gc-sections` without
//! treating their relocations as references; a retained (`"R"`) section would keep every function alive.
//! `strip` and `objcopy --only-keep-debug` then do with them what they do with debug information. It does not
//! begin with `.debug_`: `dwz`, which Debian runs on every package, fails on such a section it does not know.
//!
//! Record, 8-aligned: header of [`HEADER_SIZE`] bytes, metadata (JSON text), zstd-compressed bitcode, padding.

use crate::cursor::{Cursor, FormatError, Result, slice};

/// Section of the records.
pub const SECTION: &str = ".debug.dsu_bc";
/// First bytes of a record.
pub const MAGIC: &[u8; 8] = b"DSUUNIT\x01";
/// Bytes of the header.
pub const HEADER_SIZE: u64 = 48;

/// One record, borrowed from the section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitRecord<'a> {
    /// First 8 bytes (little-endian) of the BLAKE3 hash of unit name, NUL, uncompressed bitcode: ties the
    /// record to its symbol table.
    pub id: u64,
    /// JSON object: `name` (source path relative to the compilation directory), `directory`, `producer`,
    /// `dispatch`, `flags` (code-relevant compiler arguments, in order), `skipped` ([{`function`, `reason`}]),
    /// `points` ([{`function`, `line`}]).
    pub metadata: &'a str,
    /// zstd frame.
    pub bitcode: &'a [u8],
    /// Bytes of the bitcode when decompressed.
    pub bitcode_size: u64,
}

impl UnitRecord<'_> {
    /// The record's bytes, a multiple of 8.
    #[cfg(feature = "alloc")]
    pub fn to_bytes(&self) -> alloc::vec::Vec<u8> {
        let mut out = alloc::vec::Vec::new();
        let size = (HEADER_SIZE + (self.metadata.len() + self.bitcode.len()) as u64).next_multiple_of(8);
        out.extend_from_slice(MAGIC);
        let words = [size, self.id, self.metadata.len() as u64, self.bitcode.len() as u64, self.bitcode_size];
        for word in words {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(self.metadata.as_bytes());
        out.extend_from_slice(self.bitcode);
        out.resize(size as usize, 0);
        out
    }
}

/// The records of a section, in link order. Zero padding between them is skipped; anything else that is not a
/// record is an error, after which the iterator ends.
pub fn records(section: &[u8]) -> impl Iterator<Item = Result<UnitRecord<'_>>> {
    chunks(section, MAGIC, "section `.debug.dsu_bc`: not a unit record, or one cut short").map(|c| parse(c?))
}

fn parse(record: &[u8]) -> Result<UnitRecord<'_>> {
    const WHAT: &str = "unit record is cut short";
    let mut c = Cursor::new(record, WHAT);
    c.u64()?;
    c.u64()?;
    let (id, metadata_len, bitcode_len, bitcode_size) = (c.u64()?, c.u64()?, c.u64()?, c.u64()?);
    let metadata = slice(record, HEADER_SIZE, metadata_len, WHAT)?;
    let bitcode_at = HEADER_SIZE.checked_add(metadata_len).ok_or(FormatError(WHAT))?;
    let bitcode = slice(record, bitcode_at, bitcode_len, WHAT)?;
    let metadata = core::str::from_utf8(metadata).map_err(|_| FormatError("unit record: metadata is not UTF-8"))?;
    Ok(UnitRecord { id, metadata, bitcode, bitcode_size })
}

/// Splits a section into `magic, u64 size, ...` chunks of `size` bytes, skipping zero words between them.
pub(crate) fn chunks<'a>(
    section: &'a [u8],
    magic: &'static [u8; 8],
    what: &'static str,
) -> impl Iterator<Item = Result<&'a [u8]>> {
    let mut rest = section;
    core::iter::from_fn(move || {
        while let Some(tail) = rest.strip_prefix(&[0; 8]) {
            rest = tail;
        }
        if rest.iter().all(|&b| b == 0) {
            return None;
        }
        let size = rest
            .strip_prefix(magic)
            .and_then(|tail| tail.first_chunk::<8>())
            .and_then(|size| usize::try_from(u64::from_le_bytes(*size)).ok())
            .filter(|&size| size >= 16 && size <= rest.len());
        let Some(size) = size else {
            rest = &[];
            return Some(Err(FormatError(what)));
        };
        let (chunk, tail) = rest.split_at(size);
        rest = tail;
        Some(Ok(chunk))
    })
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;

    fn record(id: u64) -> UnitRecord<'static> {
        UnitRecord { id, metadata: r#"{"name":"a.c"}"#, bitcode: b"BC\xc0\xde+", bitcode_size: 99 }
    }

    #[test]
    fn records_come_back_as_written_with_padding_between() {
        let mut section = record(1).to_bytes();
        section.extend([0; 8]);
        section.extend(record(2).to_bytes());
        section.extend([0; 16]);
        let read: Result<Vec<_>> = records(&section).collect();
        assert_eq!(read.expect("just written"), [record(1), record(2)]);
    }

    #[test]
    fn every_cut_is_an_error_not_a_missing_unit() {
        let whole = record(1).to_bytes();
        for len in 8..whole.len() {
            let read: Vec<_> = records(&whole[..len]).collect();
            assert!(read.len() == 1 && read[0].is_err(), "{len} bytes gave {read:?}");
        }
    }
}
