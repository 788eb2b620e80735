//! From pieces to a patch object: compile, link, take out what belongs to the base, add the tables.

mod elf;
mod tools;
pub mod write;

use std::collections::BTreeMap;

use dsu_abi::patch::{Consistency, Hooks, PatchFunction, PatchRelocation, PatchTables};
use dsu_abi::stub;

use crate::closure::{Role, UpdateSet};
use crate::extract::Pieces;
use crate::input::Build;
use crate::problem::{Problem, Reason, Result};

pub use tools::Tools;

/// A linked object, before its tables are added.
#[derive(Debug)]
pub struct Linked {
    bytes: Vec<u8>,
    relocations: Vec<elf::BaseRelocation>,
    symbols: BTreeMap<String, elf::Placed>,
}

impl Linked {
    /// Size of a function's code in the patch object.
    pub fn size_of(&self, symbol: &str) -> u64 {
        self.symbols.get(symbol).map_or(0, |p| p.size)
    }
}

/// Compiles and links.
pub fn link(base: &Build, pieces: &Pieces, tools: &Tools) -> Result<Linked> {
    let mut bytes = tools.build(base, pieces)?;
    let (relocations, symbols) = elf::take_base_relocations(&mut bytes, &pieces.base)?;
    elf::check_resolved(&bytes, base, pieces)?;
    Ok(Linked { bytes, relocations, symbols })
}

/// Adds tables and manifest, and the checksum over all.
pub fn finish(
    linked: &Linked,
    base: &Build,
    set: &UpdateSet,
    pieces: &Pieces,
    name: &str,
    manifest: &[u8],
) -> Result<Vec<u8>> {
    let mut functions = Vec::new();
    for (definition, member) in &set.members {
        let Role::Redirect(target) = &member.role else { continue };
        let symbol = &pieces.symbols[definition];
        let body = linked.symbols.get(symbol).map(|p| p.address);
        let missing = || Problem::new(Reason::Internal, symbol, "is not in the linked patch object");
        functions.push(function(base, target, body.ok_or_else(missing)?)?);
    }
    let relocations = linked.relocations.iter().map(|r| {
        let target = &pieces.base[&r.symbol];
        PatchRelocation { offset: r.offset, value: target.value, addend: r.addend, kind: r.kind, name: &target.name }
    });
    let tables = PatchTables {
        name,
        base_build_id: &base.build_id,
        machine: base.machine,
        consistency: Consistency::Newest,
        functions,
        relocations: relocations.collect(),
        carried: Vec::new(),
        flags: 0,
        control: 0,
        hooks: Hooks::default(),
    };
    let tables = tables.to_bytes().map_err(|e| Problem::new(Reason::Internal, name, e.to_string()))?;
    elf::add_sections(&linked.bytes, &tables, manifest)
}

fn function<'p>(base: &Build, target: &'p crate::resolve::BaseSymbol, body: u64) -> Result<PatchFunction<'p>> {
    let corrupt = |what: &str| Problem::new(Reason::BaseCorrupt, &target.name, what);
    let record = target.record.as_ref().ok_or_else(|| corrupt("has no record"))?;
    let around = base.entries.get(&target.value).ok_or_else(|| corrupt("its entry is outside the program text"))?;
    let entry = around.get(16..).unwrap_or_default();
    let arm_offset = stub::arm_offset(entry);
    let at = usize::from(arm_offset);
    let entry_bytes = entry.get(at..at + 2).and_then(|b| b.try_into().ok());
    // Of several copies of a weak function one is in the program, with its own id and slot.
    let found = crate::input::read_stub(target.value, record.dispatch(), around);
    let (function_id, slot) = found.ok_or_else(|| corrupt("there is no stub at its entry"))?;
    Ok(PatchFunction {
        entry: target.value,
        slot,
        function_id,
        body,
        old: 0,
        stub: 0,
        size: 0,
        line: 0,
        flags: 0,
        entry_bytes: entry_bytes.ok_or_else(|| corrupt("its entry is outside the program text"))?,
        dispatch: record.dispatch(),
        arm_offset,
        name: &target.name,
        unit: &target.unit,
    })
}
