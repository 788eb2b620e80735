//! The records of an object or program.

use dsu_abi::note::UnitNote;
use dsu_abi::symbols::{Symbol, SymbolKind};
use object::{Object, ObjectSection, ObjectSymbol};
use std::collections::HashMap;

/// One unit as a program carries it.
pub(crate) struct Unit {
    pub(crate) id: u64,
    pub(crate) metadata: serde_json::Value,
    pub(crate) bitcode: Vec<u8>,
    pub(crate) symbols: Vec<OwnedSymbol>,
}

/// A row of a symbol table, with its name copied.
#[derive(Debug, Clone)]
pub(crate) struct OwnedSymbol {
    pub(crate) name: String,
    pub(crate) kind: SymbolKind,
    pub(crate) linkage: dsu_abi::symbols::Linkage,
    pub(crate) address: u64,
    pub(crate) slot: u64,
    pub(crate) function_id: u64,
}

impl Unit {
    pub(crate) fn name(&self) -> &str {
        self.metadata["name"].as_str().expect("every unit has a name")
    }

    pub(crate) fn symbol(&self, name: &str) -> &OwnedSymbol {
        let found = self.symbols.iter().find(|symbol| symbol.name == name);
        found.unwrap_or_else(|| panic!("`{}` has no `{name}`", self.name()))
    }

    /// Reason why a function was left alone.
    pub(crate) fn reason(&self, function: &str) -> Option<&str> {
        let skipped = self.metadata["skipped"].as_array().expect("a list");
        skipped.iter().find(|entry| entry["function"] == function)?["reason"].as_str()
    }
}

/// A section's contents, decompressed.
pub(crate) fn section(file: &[u8], name: &str) -> Option<Vec<u8>> {
    let file = object::File::parse(file).expect("clang writes valid ELF");
    let section = file.section_by_name(name)?;
    Some(section.uncompressed_data().expect("readable").into_owned())
}

pub(crate) fn section_names(file: &[u8]) -> Vec<String> {
    let file = object::File::parse(file).expect("clang writes valid ELF");
    file.sections().map(|section| section.name().expect("UTF-8").to_owned()).collect()
}

/// The units of a linked file (in an object file, addresses are still zero).
pub(crate) fn units(file: &[u8]) -> Vec<Unit> {
    let bitcode = section(file, dsu_abi::unit::SECTION).unwrap_or_default();
    let symbols = section(file, dsu_abi::symbols::SECTION).unwrap_or_default();
    let mut tables = HashMap::new();
    for table in dsu_abi::symbols::tables(&symbols) {
        let table = table.expect("well-formed");
        let rows: Vec<_> = table.symbols().map(|row| owned(row.expect("well-formed"))).collect();
        tables.insert(table.unit_id, rows);
    }
    let records = dsu_abi::unit::records(&bitcode).map(|record| {
        let record = record.expect("well-formed");
        let size = usize::try_from(record.bitcode_size).expect("fits");
        Unit {
            id: record.id,
            metadata: serde_json::from_str(record.metadata).expect("JSON"),
            bitcode: zstd::bulk::decompress(record.bitcode, size).expect("zstd"),
            symbols: tables.remove(&record.id).expect("each record has its table"),
        }
    });
    let units = records.collect();
    assert!(tables.is_empty(), "a table without a record");
    units
}

fn owned(row: Symbol<'_>) -> OwnedSymbol {
    let Symbol { kind, linkage, address, slot, function_id, .. } = row;
    OwnedSymbol { name: row.name.to_owned(), kind, linkage, address, slot, function_id }
}

/// The unit notes.
pub(crate) fn notes(file: &[u8]) -> Vec<UnitNote> {
    let notes = section(file, ".note.dsu").unwrap_or_default();
    dsu_abi::note::unit_notes(&notes, 4).collect()
}

/// Addresses that the linker's own symbol table has for a name.
pub(crate) fn addresses(file: &[u8], name: &str) -> Vec<u64> {
    let file = object::File::parse(file).expect("valid ELF");
    let symbols = file.symbols().filter(|symbol| symbol.name() == Ok(name) && !symbol.is_undefined());
    symbols.map(|symbol| symbol.address()).collect()
}

/// `len` bytes at an address of a linked file.
pub(crate) fn bytes_at(file: &[u8], address: u64, len: u64) -> Option<Vec<u8>> {
    let file = object::File::parse(file).expect("valid ELF");
    let data = |section: object::Section<'_, '_>| section.data_range(address, len).ok().flatten().map(<[u8]>::to_vec);
    file.sections().filter(|section| section.address() != 0).find_map(data)
}
