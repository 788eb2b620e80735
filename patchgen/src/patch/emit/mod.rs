//! From extracted modules to a patch object: compile, link, take out what belongs to the base, add the tables.

mod elf;
mod stubs;
mod tools;
pub mod write;

use std::collections::BTreeMap;

use dsu_abi::patch::{CarriedVariable, Hooks, PATCH_ESCAPES, PatchFunction, PatchRelocation, PatchTables};

use crate::arch::x86_64::text::CONTROL;
use crate::build::Build;
use crate::check::consistency::Model;
use crate::check::redirect::Redirect;
use crate::patch::extract::Extracted;
use crate::patch::hooks::Moment;
use crate::problem::{Problem, Reason, Result};

pub use tools::Tools;

/// A linked object, before its tables are added.
#[derive(Debug)]
pub struct Linked {
    bytes: Vec<u8>,
    relocations: Vec<elf::TakenRelocation>,
    symbols: BTreeMap<String, elf::Placed>,
}

impl Linked {
    /// Size of a function's code in the patch object.
    pub fn size_of(&self, symbol: &str) -> u64 {
        self.symbols.get(symbol).map_or(0, |p| p.size)
    }

    fn address_of(&self, symbol: &str) -> Result<u64> {
        let missing = || Problem::new(Reason::Internal, symbol, "is not in the linked patch object");
        self.symbols.get(symbol).map(|p| p.address).ok_or_else(missing)
    }

    fn hooks(&self) -> Hooks {
        let address = |moment: Moment| self.symbols.get(&moment.symbol()).map_or(0, |p| p.address);
        Hooks {
            pre_apply: address(Moment::PreApply),
            post_apply: address(Moment::PostApply),
            pre_revert: address(Moment::PreRevert),
            post_revert: address(Moment::PostRevert),
        }
    }
}

/// Compiles and links.
pub fn link(base: &Build, extracted: &mut Extracted, redirects: &[Redirect], tools: &Tools) -> Result<Linked> {
    let stubs = stubs::assembly(base, extracted, redirects);
    let mut bytes = tools.build(base, extracted, &stubs)?;
    let (relocations, symbols) = elf::take_relocations(&mut bytes, extracted)?;
    elf::check_resolved(&bytes, base, extracted)?;
    Ok(Linked { bytes, relocations, symbols })
}

/// What a patch says about itself.
#[derive(Debug, Clone, Copy)]
pub struct Label<'l> {
    /// Name shown to operators.
    pub name: &'l str,
    /// How threads get to the new versions.
    pub model: Model,
    /// For people and tools.
    pub manifest: &'l [u8],
}

/// Adds tables and manifest, and the checksum over all.
pub fn finish(
    linked: &Linked,
    base: &Build,
    redirects: &[Redirect],
    extracted: &Extracted,
    label: Label<'_>,
) -> Result<Vec<u8>> {
    let Label { name, model, manifest } = label;
    let functions = redirects.iter().map(|r| function(linked, extracted, r)).collect::<Result<_>>()?;
    let relocations = linked.relocations.iter().map(|r| {
        let (value, name) = match r.target {
            elf::WordTarget::Base(value) => (value, &extracted.base[&r.symbol].name),
            elf::WordTarget::Persistent(number) => (number as u64, &extracted.persistent[number].name),
        };
        PatchRelocation { offset: r.offset, value, addend: r.addend, kind: r.kind, name }
    });
    let persistent = extracted.persistent.iter().map(|c| {
        let symbol = &extracted.symbols[&c.definition];
        let (address, size) = (linked.address_of(symbol)?, linked.size_of(symbol));
        Ok(CarriedVariable { identity: c.identity, shape: c.shape(size), address, size, name: &c.name })
    });
    let tables = PatchTables {
        name,
        base_build_id: &base.build_id,
        machine: base.machine,
        consistency: model.number(),
        functions,
        relocations: relocations.collect(),
        carried: persistent.collect::<Result<_>>()?,
        flags: if extracted.address_taken { PATCH_ESCAPES } else { 0 },
        control: linked.address_of(CONTROL)?,
        hooks: linked.hooks(),
    };
    let tables = tables.to_bytes().map_err(|e| Problem::new(Reason::Internal, name, e.to_string()))?;
    elf::add_sections(&linked.bytes, &tables, manifest)
}

fn function<'p>(linked: &Linked, extracted: &Extracted, redirect: &'p Redirect) -> Result<PatchFunction<'p>> {
    let symbol = &extracted.symbols[&redirect.definition];
    let optional = |there: bool, symbol: String| if there { linked.address_of(&symbol) } else { Ok(0) };
    Ok(PatchFunction {
        entry: redirect.base.value,
        slot: redirect.slot,
        function_id: redirect.function_id,
        body: linked.address_of(symbol)?,
        old: optional(redirect.trampoline.is_ok(), stubs::trampoline_symbol(symbol))?,
        stub: optional(redirect.has_stub(), stubs::stub_symbol(symbol))?,
        size: redirect.size,
        line: redirect.line,
        flags: redirect.flags,
        entry_bytes: redirect.entry_bytes,
        dispatch: redirect.dispatch,
        arm_offset: redirect.arm_offset,
        name: &redirect.base.name,
        unit: &redirect.base.unit,
    })
}
