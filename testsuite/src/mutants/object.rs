//! Reads a relocatable object of x86-64: its sections, symbols and relocations, and where its instructions end.
//! It shares no code with the tools under test.
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::real::command::run;

/// A section that is loaded.
#[derive(Debug)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Its type (`SHT_*`).
    pub kind: u64,
    /// Its flags (`SHF_*`).
    pub flags: u64,
    /// Its size.
    pub size: usize,
    /// Its alignment.
    pub align: u64,
    /// Size of an entry of what may be merged.
    pub entry: usize,
    /// Its bytes; none of zeroed memory.
    pub bytes: Vec<u8>,
    /// In the order of their places.
    pub relocations: Vec<Relocation>,
}

/// A relocation.
#[derive(Debug)]
pub struct Relocation {
    /// Where in the section.
    pub offset: usize,
    /// `R_X86_64_*`.
    pub kind: u32,
    /// Index of its symbol.
    pub symbol: usize,
    /// What is added.
    pub addend: i64,
}

/// A symbol.
#[derive(Debug)]
pub struct Symbol {
    /// Its name; that of its section for a section's symbol.
    pub name: String,
    /// `STT_*`.
    pub kind: u8,
    /// Nothing outside of the object refers to it.
    pub local: bool,
    /// Index of its section, also one of those above `SHN_LORESERVE`.
    pub section: usize,
    /// Offset in its section.
    pub value: usize,
    /// Its size.
    pub size: usize,
}

/// An object file.
#[derive(Debug)]
pub struct Object {
    /// All sections; what is not loaded is empty.
    pub sections: Vec<Section>,
    /// All symbols.
    pub symbols: Vec<Symbol>,
    /// Section -> where each of its instructions begins, in order.
    pub instructions: BTreeMap<String, Vec<usize>>,
}

/// `SHF_WRITE`.
pub const WRITE: u64 = 1;
/// `SHF_ALLOC`.
pub const ALLOC: u64 = 2;
/// `SHF_EXECINSTR`.
pub const EXECUTE: u64 = 4;
/// `SHF_MERGE`.
pub const MERGE: u64 = 0x10;
/// `SHF_STRINGS`.
pub const STRINGS: u64 = 0x20;
/// `SHT_NOBITS`.
pub const NOBITS: u64 = 8;
/// `STT_SECTION`.
pub const OF_SECTION: u8 = 3;

const SYMBOL_TABLE: u64 = 2;
const RELOCATIONS: u64 = 4;

impl Object {
    /// Reads `path`.
    ///
    /// # Errors
    /// When it is no such object, or `objdump` does not read it.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let mut object = Self::parse(&bytes).with_context(|| format!("`{}` is no object of x86-64", path.display()))?;
        let mut objdump = Command::new("objdump");
        let (output, _) = run(objdump.args(["-d", "-z", "--no-show-raw-insn"]).arg(path), &[0])?;
        object.instructions = instructions(&String::from_utf8_lossy(&output.stdout));
        Ok(object)
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        ensure!(bytes.starts_with(b"\x7fELF\x02\x01"), "no ELF of 64 bits");
        let (table, count) = (number(bytes, 0x28, 8)?, number(bytes, 0x3c, 2)?);
        let field = |index: usize, at: usize, size: usize| number(bytes, table + index * 64 + at, size);
        let names = number(bytes, 0x3e, 2)?;
        let content = |index: usize| slice(bytes, field(index, 0x18, 8)?, field(index, 0x20, 8)?);
        let mut sections = Vec::new();
        let mut symbols = Vec::new();
        for index in 0..count {
            let (kind, flags) = (field(index, 4, 4)? as u64, field(index, 8, 8)? as u64);
            let loaded = flags & ALLOC != 0 && kind != NOBITS;
            sections.push(Section {
                name: text(content(names)?, field(index, 0, 4)?),
                kind,
                flags,
                size: field(index, 0x20, 8)?,
                align: field(index, 0x30, 8)? as u64,
                entry: field(index, 0x38, 8)?,
                bytes: if loaded { content(index)?.to_vec() } else { Vec::new() },
                relocations: Vec::new(),
            });
            if kind == SYMBOL_TABLE {
                symbols = parse_symbols(content(index)?, content(field(index, 0x28, 4)?)?)?;
            }
        }
        for index in 0..count {
            if sections[index].kind == RELOCATIONS {
                sections[field(index, 0x2c, 4)?].relocations = parse_relocations(content(index)?)?;
            }
        }
        for symbol in symbols.iter_mut().filter(|symbol| symbol.kind == OF_SECTION) {
            symbol.name = sections.get(symbol.section).map_or_else(String::new, |section| section.name.clone());
        }
        Ok(Self { sections, symbols, instructions: BTreeMap::new() })
    }
}

fn parse_symbols(bytes: &[u8], names: &[u8]) -> Result<Vec<Symbol>> {
    let symbol = |entry: &[u8]| {
        Ok(Symbol {
            name: text(names, number(entry, 0, 4)?),
            kind: entry[4] & 15,
            local: entry[4] >> 4 == 0,
            section: number(entry, 6, 2)?,
            value: number(entry, 8, 8)?,
            size: number(entry, 16, 8)?,
        })
    };
    bytes.chunks_exact(24).map(symbol).collect()
}

fn parse_relocations(bytes: &[u8]) -> Result<Vec<Relocation>> {
    let relocation = |entry: &[u8]| {
        Ok(Relocation {
            offset: number(entry, 0, 8)?,
            kind: u32::try_from(number(entry, 8, 4)?)?,
            symbol: number(entry, 12, 4)?,
            addend: i64::from_le_bytes(entry[16..24].try_into()?),
        })
    };
    let mut all: Vec<Relocation> = bytes.chunks_exact(24).map(relocation).collect::<Result<_>>()?;
    all.sort_by_key(|relocation| relocation.offset);
    Ok(all)
}

fn number(bytes: &[u8], at: usize, size: usize) -> Result<usize> {
    let mut word = [0; 8];
    word[..size].copy_from_slice(slice(bytes, at, size)?);
    usize::try_from(u64::from_le_bytes(word)).context("a number too large")
}

fn slice(bytes: &[u8], at: usize, size: usize) -> Result<&[u8]> {
    bytes.get(at..at.saturating_add(size)).context("cut short")
}

fn text(bytes: &[u8], at: usize) -> String {
    let tail = bytes.get(at..).unwrap_or_default();
    let end = tail.iter().position(|byte| *byte == 0).unwrap_or(tail.len());
    String::from_utf8_lossy(&tail[..end]).into_owned()
}

/// Where instructions begin, as `objdump -d` says it.
fn instructions(printed: &str) -> BTreeMap<String, Vec<usize>> {
    let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut current = None;
    for line in printed.lines() {
        if let Some(section) = line.strip_prefix("Disassembly of section ") {
            current = Some(found.entry(section.trim_end_matches(':').to_owned()).or_default());
        } else if let (Some(offsets), Some((offset, _))) = (&mut current, line.split_once(":\t")) {
            offsets.extend(usize::from_str_radix(offset.trim(), 16));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::instructions;

    #[test]
    fn instructions_are_found_by_section() {
        let printed = "Disassembly of section .text.f:\n\n0000000000000000 <f>:\n   0:\tret\n   1:\tint3\n";
        assert_eq!(instructions(printed)[".text.f"], [0, 1]);
    }
}
