//! `.debug.dsu_sym`: where the linker put what a unit defines. The plugin emits it as assembly, the linker
//! fills in the addresses, so two statics of one name are never confused and link order does not matter.
//!
//! Table, 8-aligned: header of [`HEADER_SIZE`] bytes, [`ENTRY_SIZE`] bytes per symbol, string table, padding.
//! A function or variable that the linker dropped has address 0; with gold, its offset in the dropped section, so
//! that only the id before its entry proves that a function is there.

use crate::cursor::{Cursor, FormatError, Result, slice, string};
use crate::stub::Dispatch;
use crate::unit::chunks;

/// Section of the tables.
pub const SECTION: &str = ".debug.dsu_sym";
/// First bytes of a table.
pub const MAGIC: &[u8; 8] = b"DSUSYMS\x01";
/// Bytes of a table's header: magic, size, unit id, entry count (u32), string table size (u32).
pub const HEADER_SIZE: u64 = 32;
/// Bytes of an entry: name (u32), kind (u8), dispatch (u8), linkage (u8), zero (u8), address, slot, function id.
pub const ENTRY_SIZE: u64 = 32;

/// What a symbol names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SymbolKind {
    /// An updatable function: `address` is its entry, `slot` its slot.
    Function = 1,
    /// A function left alone: `address` is its entry, `slot` is 0.
    PlainFunction = 2,
    /// A variable or constant: `address` is its address.
    Data = 3,
    /// A thread-local variable: `address` is its offset in the module's TLS block (`@DTPOFF`).
    Tls = 4,
    /// A second name (alias or ifunc): `address` is what it resolves to.
    Alias = 5,
}

/// How the name is seen outside its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Linkage {
    /// `static`: private to the unit.
    Local = 0,
    /// One definition in the program.
    Global = 1,
    /// Weak, linkonce or comdat: the linker picks one of several; all tables then hold the winner's address.
    Weak = 2,
}

/// One symbol, its name still an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol<'a> {
    /// Name in the bitcode.
    pub name: &'a str,
    /// What it names.
    pub kind: SymbolKind,
    /// How its calls dispatch; meaningful for [`SymbolKind::Function`].
    pub dispatch: Dispatch,
    /// Visibility of the name.
    pub linkage: Linkage,
    /// Virtual address in the linked file (not yet biased), or TLS offset; 0 when dropped by the linker.
    pub address: u64,
    /// Virtual address of the slot, or 0.
    pub slot: u64,
    /// See [`function_id_input`]; 0 for anything but a function.
    pub function_id: u64,
}

/// The symbols of one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SymbolTable<'a> {
    /// Equal to [`crate::unit::UnitRecord::id`] of its unit.
    pub unit_id: u64,
    entries: &'a [u8],
    strings: &'a [u8],
}

/// What the BLAKE3 hash is taken of to get a function's id: unit id (8 bytes), then its name.
/// The id is the hash's first 8 bytes, little-endian.
#[cfg(feature = "alloc")]
pub fn function_id_input(unit_id: u64, name: &str) -> alloc::vec::Vec<u8> {
    let mut input = unit_id.to_le_bytes().to_vec();
    input.extend_from_slice(name.as_bytes());
    input
}

/// The tables of a section, in link order; an unreadable one is an error, after which the iterator ends.
pub fn tables(section: &[u8]) -> impl Iterator<Item = Result<SymbolTable<'_>>> {
    chunks(section, MAGIC, "section `.debug.dsu_sym`: not a symbol table, or one cut short").map(|c| parse(c?))
}

fn parse(table: &[u8]) -> Result<SymbolTable<'_>> {
    const WHAT: &str = "symbol table is cut short";
    let mut c = Cursor::new(table, WHAT);
    c.u64()?;
    c.u64()?;
    let (unit_id, count, strings_size) = (c.u64()?, c.u32()?, c.u32()?);
    let entries_size = u64::from(count).checked_mul(ENTRY_SIZE).ok_or(FormatError(WHAT))?;
    let entries = slice(table, HEADER_SIZE, entries_size, WHAT)?;
    let strings = slice(table, HEADER_SIZE + entries_size, strings_size.into(), WHAT)?;
    Ok(SymbolTable { unit_id, entries, strings })
}

impl<'a> SymbolTable<'a> {
    /// The symbols, in the order the plugin emitted them.
    pub fn symbols(&self) -> impl Iterator<Item = Result<Symbol<'a>>> + use<'a> {
        let strings = self.strings;
        self.entries.chunks_exact(ENTRY_SIZE as usize).map(move |entry| symbol(entry, strings))
    }
}

fn symbol<'a>(entry: &[u8], strings: &'a [u8]) -> Result<Symbol<'a>> {
    let mut c = Cursor::new(entry, "symbol is cut short");
    let name = string(strings, c.u32()?)?;
    let kind = match c.u8()? {
        1 => SymbolKind::Function,
        2 => SymbolKind::PlainFunction,
        3 => SymbolKind::Data,
        4 => SymbolKind::Tls,
        5 => SymbolKind::Alias,
        _ => return Err(FormatError("symbol table: unknown kind of symbol")),
    };
    let dispatch = Dispatch::from_number(c.u8()?).ok_or(FormatError("symbol table: unknown dispatch"))?;
    let linkage = match c.u8()? {
        0 => Linkage::Local,
        1 => Linkage::Global,
        2 => Linkage::Weak,
        _ => return Err(FormatError("symbol table: unknown linkage")),
    };
    c.u8()?;
    Ok(Symbol { name, kind, dispatch, linkage, address: c.u64()?, slot: c.u64()?, function_id: c.u64()? })
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;

    /// What the assembler makes of the plugin's text, with two symbols.
    fn table() -> Vec<u8> {
        let strings = b"\0f\0counter\0";
        let mut out = MAGIC.to_vec();
        let size = (HEADER_SIZE + 2 * ENTRY_SIZE + strings.len() as u64).next_multiple_of(8);
        out.extend(size.to_le_bytes());
        out.extend(5u64.to_le_bytes());
        out.extend(2u32.to_le_bytes());
        out.extend((strings.len() as u32).to_le_bytes());
        for (name, head, address, slot, id) in
            [(1u32, [1u8, 0, 1, 0], 0x1130u64, 0x4000u64, 77u64), (3, [4, 0, 0, 0], 8, 0, 0)]
        {
            out.extend(name.to_le_bytes());
            out.extend(head);
            out.extend(address.to_le_bytes());
            out.extend(slot.to_le_bytes());
            out.extend(id.to_le_bytes());
        }
        out.extend(strings);
        out.resize(size as usize, 0);
        out
    }

    #[test]
    fn a_table_reads_as_laid_out() {
        let bytes = table();
        let read: Result<Vec<_>> = tables(&bytes).collect();
        let read = read.expect("well-formed");
        assert_eq!(read[0].unit_id, 5);
        let symbols: Result<Vec<_>> = read[0].symbols().collect();
        let symbols = symbols.expect("well-formed");
        assert_eq!((symbols[0].name, symbols[0].kind, symbols[0].slot), ("f", SymbolKind::Function, 0x4000));
        assert_eq!((symbols[1].name, symbols[1].kind, symbols[1].address), ("counter", SymbolKind::Tls, 8));
    }

    #[test]
    fn an_unknown_kind_is_refused() {
        let mut bytes = table();
        bytes[HEADER_SIZE as usize + 4] = 9;
        let read = tables(&bytes).next().expect("one table").expect("header is intact");
        assert_eq!(read.symbols().next(), Some(Err(FormatError("symbol table: unknown kind of symbol"))));
    }
}
