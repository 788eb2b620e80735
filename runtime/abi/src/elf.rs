//! The little of ELF that the runtime and `dsuctl` need of a patch object: its machine, its segments, one section
//! by name. x86-64 only knows 64-bit little-endian, so nothing else is read.

use crate::cursor::{Cursor, FormatError, Result, slice};

/// `EM_X86_64`.
pub const MACHINE_X86_64: u16 = 62;
/// `PT_LOAD`.
pub const PT_LOAD: u32 = 1;
/// `PF_X`.
pub const PF_X: u32 = 1;
/// `PF_W`.
pub const PF_W: u32 = 2;
/// `PF_R`.
pub const PF_R: u32 = 4;

const CUT: &str = "ELF file is cut short";
const ET_DYN: u16 = 3;
const SECTION_HEADER: u16 = 64;
const PROGRAM_HEADER: u16 = 56;

/// A shared ELF object whose headers lie inside the file.
#[derive(Debug, Clone, Copy)]
pub struct Elf<'a> {
    file: &'a [u8],
    /// Machine number.
    pub machine: u16,
    segments: &'a [u8],
    sections: &'a [u8],
    names: &'a [u8],
}

/// A program header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// `PT_*`.
    pub kind: u32,
    /// `PF_*`.
    pub flags: u32,
    /// Offset in the file.
    pub offset: u64,
    /// Virtual address.
    pub address: u64,
    /// Bytes in the file.
    pub file_size: u64,
    /// Bytes in memory.
    pub memory_size: u64,
}

impl Segment {
    /// Whether `len` bytes at `address` lie inside a loaded segment that has all of `flags`.
    pub fn holds(&self, address: u64, len: u64, flags: u32) -> bool {
        let end = self.address.saturating_add(self.memory_size);
        self.kind == PT_LOAD
            && self.flags & flags == flags
            && address >= self.address
            && address.checked_add(len).is_some_and(|last| last <= end)
    }
}

/// A section: where it is in the file, and its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section<'a> {
    /// Offset in the file.
    pub offset: u64,
    /// Contents.
    pub bytes: &'a [u8],
}

/// Reads the headers of a shared object.
pub fn parse(file: &[u8]) -> Result<Elf<'_>> {
    let mut c = Cursor::new(file, "not an ELF file");
    if c.array::<4>()? != *b"\x7fELF" {
        return Err(FormatError("not an ELF file"));
    }
    if c.array::<3>()? != [2, 1, 1] {
        return Err(FormatError("not a 64-bit little-endian ELF file"));
    }
    let mut c = Cursor::new(slice(file, 16, 48, CUT)?, CUT);
    let (kind, machine) = (c.u16()?, c.u16()?);
    if kind != ET_DYN {
        return Err(FormatError("not a shared ELF object"));
    }
    c.array::<12>()?;
    let (segments_at, sections_at) = (c.u64()?, c.u64()?);
    c.array::<6>()?;
    let (segment_size, segments) = (c.u16()?, c.u16()?);
    let (section_size, sections, names_index) = (c.u16()?, c.u16()?, c.u16()?);
    if segment_size != PROGRAM_HEADER || section_size != SECTION_HEADER {
        return Err(FormatError("ELF header: headers of unusual size"));
    }
    let table = |at: u64, count: u16, size: u16| slice(file, at, u64::from(count) * u64::from(size), CUT);
    let segments = table(segments_at, segments, segment_size)?;
    let sections = table(sections_at, sections, section_size)?;
    let mut elf = Elf { file, machine, segments, sections, names: &[] };
    if let Some(names) = elf.section_headers().nth(names_index.into()) {
        elf.names = names?.1.bytes;
    }
    Ok(elf)
}

impl<'a> Elf<'a> {
    /// The program headers; those that point outside the file are passed over.
    pub fn segments(&self) -> impl Iterator<Item = Segment> + use<'a> {
        self.segments.chunks_exact(PROGRAM_HEADER.into()).filter_map(|header| segment(header).ok())
    }

    /// The first section called `name`.
    pub fn section(&self, name: &str) -> Result<Option<Section<'a>>> {
        for header in self.section_headers() {
            let (at, section) = header?;
            let found = self.names.get(at as usize..).and_then(|tail| tail.strip_prefix(name.as_bytes()));
            if found.is_some_and(|rest| rest.first() == Some(&0)) {
                return Ok(Some(section));
            }
        }
        Ok(None)
    }

    /// Whether `len` bytes at `address` lie inside one loaded segment that has all of `flags`.
    #[inline(never)] // Asked six times in the runtime, which every program holds.
    pub fn holds(&self, address: u64, len: u64, flags: u32) -> bool {
        self.segments().any(|s| s.holds(address, len, flags))
    }

    /// Each section with the place of its name. Sections without contents (`SHT_NOBITS`) come out empty.
    fn section_headers(&self) -> impl Iterator<Item = Result<(u32, Section<'a>)>> + use<'a> {
        let file = self.file;
        self.sections.chunks_exact(SECTION_HEADER.into()).map(move |header| {
            const SHT_NOBITS: u32 = 8;
            let mut c = Cursor::new(header, CUT);
            let (name, kind) = (c.u32()?, c.u32()?);
            c.array::<16>()?;
            let (offset, size) = (c.u64()?, c.u64()?);
            let bytes = if kind == SHT_NOBITS { &[] } else { slice(file, offset, size, CUT)? };
            Ok((name, Section { offset, bytes }))
        })
    }
}

fn segment(header: &[u8]) -> Result<Segment> {
    let mut c = Cursor::new(header, CUT);
    let (kind, flags, offset, address) = (c.u32()?, c.u32()?, c.u64()?, c.u64()?);
    c.u64()?;
    let (file_size, memory_size) = (c.u64()?, c.u64()?);
    Ok(Segment { kind, flags, offset, address, file_size, memory_size })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Header, one PT_LOAD, sections: null, `.x` (4 bytes), names.
    fn object() -> Vec<u8> {
        let names = b"\0.x\0.names\0";
        let mut out = b"\x7fELF\x02\x01\x01".to_vec();
        out.resize(16, 0);
        out.extend([3, 0, 62, 0]);
        out.resize(32, 0);
        out.extend(64u64.to_le_bytes());
        out.extend(136u64.to_le_bytes());
        out.extend([0; 6]);
        for half in [56u16, 1, 64, 3, 2] {
            out.extend(half.to_le_bytes());
        }
        out.resize(64, 0);
        out.extend(PT_LOAD.to_le_bytes());
        out.extend((PF_R | PF_X).to_le_bytes());
        for word in [0u64, 0x1000, 0, 0x40, 0x80, 0x1000] {
            out.extend(word.to_le_bytes());
        }
        out.extend([7, 7, 7, 7]);
        out.extend(names);
        out.resize(136, 0);
        for (name, kind, at, size) in [(0u32, 0u32, 0u64, 0u64), (1, 1, 120, 4), (4, 3, 124, names.len() as u64)] {
            let start = out.len();
            out.extend(name.to_le_bytes());
            out.extend(kind.to_le_bytes());
            out.resize(start + 24, 0);
            out.extend(at.to_le_bytes());
            out.extend(size.to_le_bytes());
            out.resize(start + 64, 0);
        }
        out
    }

    #[test]
    fn sections_and_segments_are_found() {
        let file = object();
        let elf = parse(&file).expect("well-formed");
        assert_eq!(elf.machine, MACHINE_X86_64);
        let found = elf.section(".x").expect("in the file").expect("there");
        assert_eq!((found.offset, found.bytes), (120, &[7u8; 4][..]));
        assert_eq!(elf.section(".y"), Ok(None));
        assert!(elf.holds(0x1000, 0x80, PF_X) && !elf.holds(0x1000, 0x81, PF_X) && !elf.holds(0x1000, 1, PF_W));
        assert!(!elf.holds(u64::MAX, 8, PF_X), "an address that wraps is nowhere");
    }

    #[test]
    fn every_cut_is_an_error() {
        let whole = object();
        for len in 0..whole.len() {
            assert!(parse(&whole[..len]).is_err(), "{len} bytes");
        }
    }

    #[test]
    fn no_flipped_bit_panics() {
        let whole = object();
        for bit in 0..whole.len() * 8 {
            let mut file = whole.clone();
            file[bit / 8] ^= 1 << (bit % 8);
            if let Some(found) = parse(&file).ok().and_then(|elf| elf.section(".x").ok().flatten()) {
                assert!(found.offset + found.bytes.len() as u64 <= file.len() as u64, "bit {bit}");
            }
        }
    }
}
