//! What the linker made of names: definitions that another one overrides, `--wrap`, names that stay open to other modules.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dsu_abi::stub::Dispatch;
use dsu_abi::symbols::{Linkage, SymbolKind};
use object::read::elf::{ElfFile64, Rela, SectionHeader, Sym};
use object::{Endianness, Object, ObjectSection, ObjectSymbol, SectionFlags, elf};
use serde::{Deserialize, Serialize};

use super::{SymbolLocation, Unit};
use crate::arch::x86_64::read_stub;

type Elf<'a> = ElfFile64<'a, Endianness>;

/// What `--wrap` puts before a name, and what leads around it.
const WRAP: &str = "__wrap_";
const REAL: &str = "__real_";

/// Which references to a name `--wrap` has led elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wrapped {
    /// Those of units that do not define it.
    Elsewhere,
    /// Those of the unit that defines it, too.
    Everywhere,
    /// There is a function for it, and no sign that anything is led there.
    Unknown,
}

/// The linker's decisions about names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// Names that `--wrap` may have led to `__wrap_NAME`.
    pub wrapped: BTreeMap<String, Wrapped>,
    /// Names of its own that the file's code reaches through the dynamic linker, so that another module can take them over.
    pub preemptible: BTreeSet<String>,
    /// Names with a definition that is not weak, in an object without a record, although those of the recorded units are weak.
    pub strong: BTreeSet<String>,
    /// Symbols of objects without a record that nobody else can name: what a version script made local, and labels of assembly.
    /// Only those whose name no other symbol has.
    pub local: BTreeMap<String, SymbolLocation>,
}

impl Names {
    /// What a name means where it is used in a unit that defines it (`here`) or does not.
    pub fn linked<'n>(&self, name: &'n str, here: bool) -> std::borrow::Cow<'n, str> {
        let leads_away = |name: &str| match self.wrapped.get(name) {
            Some(Wrapped::Elsewhere) => !here,
            Some(Wrapped::Everywhere) => true,
            _ => false,
        };
        match name.strip_prefix(REAL) {
            Some(plain) if !here && self.is_wrapped(plain) => plain.into(),
            _ if leads_away(name) => format!("{WRAP}{name}").into(),
            _ => name.into(),
        }
    }

    fn is_wrapped(&self, name: &str) -> bool {
        self.wrapped.get(name).is_some_and(|how| *how != Wrapped::Unknown)
    }
}

/// Reads them off, and corrects the records of the units by them.
pub(super) fn read(
    file: &Elf<'_>,
    units: &mut [Unit],
    defined: &BTreeMap<String, SymbolLocation>,
    entries: impl Fn(&[Unit]) -> BTreeMap<u64, Vec<u8>>,
) -> Names {
    let preemptible = preemptible(file);
    let wrapped = wrapped(file, units, defined, &preemptible);
    let strong = strong(file, units);
    mark_overridden(units, &strong, &entries(units));
    Names { wrapped, preemptible, strong, local: local(file, units, defined) }
}

/// Names of symbols that relocations of the dynamic linker refer to.
fn preemptible(file: &Elf<'_>) -> BTreeSet<String> {
    let endian = file.endian();
    let symbols = file.elf_dynamic_symbol_table();
    let mut out = BTreeSet::new();
    for section in file.elf_section_table().iter().filter(|s| s.sh_flags(endian).0 & elf::SHF_ALLOC.0 != 0) {
        let Ok(Some((list, _))) = section.rela(endian, file.data()) else { continue };
        let used = list.iter().filter_map(|rela| symbols.symbol(rela.symbol(endian, false)?).ok());
        let names = used.filter_map(|symbol| std::str::from_utf8(symbol.name(endian, symbols.strings()).ok()?).ok());
        out.extend(names.map(str::to_owned));
    }
    out
}

/// GNU ld takes `__wrap_x` in our tables for `x`, and LLVM's linker `x` for `__wrap_x`: both show that x is wrapped, and are
/// put right by the symbol table. Else the code shows it, where it goes to `__wrap_x`.
fn wrapped(
    file: &Elf<'_>,
    units: &mut [Unit],
    defined: &BTreeMap<String, SymbolLocation>,
    preemptible: &BTreeSet<String>,
) -> BTreeMap<String, Wrapped> {
    let recorded = units.iter().flat_map(|u| &u.symbols).filter(|s| s.is_global()).map(|s| s.name.as_str());
    let names = recorded.chain(defined.keys().map(String::as_str)).chain(preemptible.iter().map(String::as_str));
    let names: BTreeSet<String> = names.filter_map(|n| n.strip_prefix(WRAP)).map(str::to_owned).collect();
    let address = |name: &str| defined.get(name).map(|d| d.address);
    let wrappers: HashMap<u64, &str> =
        names.iter().filter_map(|n| Some((address(&format!("{WRAP}{n}"))?, n.as_str()))).collect();
    let reached = if wrappers.is_empty() { BTreeSet::new() } else { reached(file, &wrappers) };
    let mut out = BTreeMap::new();
    for name in &names {
        let wrapper = format!("{WRAP}{name}");
        let seen = reached.contains(name.as_str()) || preemptible.contains(&wrapper);
        let mut how = if seen { Wrapped::Elsewhere } else { Wrapped::Unknown };
        for symbol in units.iter_mut().flat_map(|u| &mut u.symbols).filter(|s| s.is_global()) {
            let (right, sign) = match symbol.name == wrapper {
                true => (address(&wrapper), Wrapped::Elsewhere),
                false if symbol.name == *name => (address(name), Wrapped::Everywhere),
                false => continue,
            };
            if let Some(right) = right.filter(|right| *right != symbol.address) {
                symbol.address = right;
                how = sign;
            }
        }
        out.insert(name.clone(), how);
    }
    out
}

/// Which of these addresses the program text refers to by distance, as calls, jumps and `lea` do.
fn reached<'n>(file: &Elf<'_>, wanted: &HashMap<u64, &'n str>) -> BTreeSet<&'n str> {
    let executable = |flags: SectionFlags| matches!(flags, SectionFlags::Elf { sh_flags, .. } if sh_flags.0 & elf::SHF_EXECINSTR.0 != 0);
    let mut out = BTreeSet::new();
    for section in file.sections().filter(|s| executable(s.flags())) {
        let code = section.data().unwrap_or_default();
        for (at, bytes) in code.windows(4).enumerate() {
            let distance = i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            let target = (section.address() + at as u64 + 4).wrapping_add_signed(i64::from(distance));
            out.extend(wanted.get(&target));
        }
    }
    out
}

/// Names of which the program has a definition that is not weak, and all records are of weak ones.
fn strong(file: &Elf<'_>, units: &[Unit]) -> BTreeSet<String> {
    let mut weak: BTreeMap<&str, bool> = BTreeMap::new();
    for symbol in units.iter().flat_map(|u| &u.symbols).filter(|s| s.is_global()) {
        *weak.entry(&symbol.name).or_insert(true) &= symbol.linkage == Linkage::Weak as u8;
    }
    let symbols = file.symbols().filter(|s| s.is_definition() && s.is_global() && !s.is_weak());
    let names = symbols.filter_map(|s| s.name().ok());
    names.filter(|name| weak.get(name) == Some(&true)).map(str::to_owned).collect()
}

/// Symbols of objects without a record that are local, and the only ones of their name.
fn local(
    file: &Elf<'_>,
    units: &[Unit],
    defined: &BTreeMap<String, SymbolLocation>,
) -> BTreeMap<String, SymbolLocation> {
    let recorded: BTreeSet<&str> = units.iter().flat_map(|u| &u.symbols).map(|s| s.name.as_str()).collect();
    let mut found: BTreeMap<&str, Option<SymbolLocation>> = BTreeMap::new();
    for symbol in file.symbols().filter(|s| s.is_local() && !s.is_undefined() && s.address() != 0) {
        let kind = symbol.elf_symbol().st_type();
        let names_something = [elf::STT_NOTYPE, elf::STT_OBJECT, elf::STT_FUNC, elf::STT_TLS].contains(&kind);
        // The runtime's own are no business of a patch.
        let wanted = |name: &&str| !name.is_empty() && !name.starts_with("_ZN") && !name.starts_with("_R");
        let Some(name) = symbol.name().ok().filter(wanted).filter(|_| names_something) else { continue };
        if !recorded.contains(name) && !defined.contains_key(name) {
            let definition = SymbolLocation { address: symbol.address(), tls: kind == elf::STT_TLS };
            found.entry(name).and_modify(|other| *other = None).or_insert(Some(definition));
        }
    }
    found.into_iter().filter_map(|(name, only)| Some((name.to_owned(), only?))).collect()
}

/// Marks weak definitions that are not those of the program: of functions the id before the entry tells, or the slot; of
/// everything else, that another unit has a definition that is not weak.
fn mark_overridden(units: &mut [Unit], strong: &BTreeSet<String>, entries: &BTreeMap<u64, Vec<u8>>) {
    let symbols = units.iter().flat_map(|u| &u.symbols);
    let mut units_of: BTreeMap<String, usize> = BTreeMap::new();
    for symbol in symbols.clone().filter(|s| s.is_global()) {
        *units_of.entry(symbol.name.clone()).or_default() += 1;
    }
    let global: BTreeSet<String> =
        symbols.filter(|s| s.linkage == Linkage::Global as u8 && s.is_present()).map(|s| s.name.clone()).collect();
    for symbol in units.iter_mut().flat_map(|u| &mut u.symbols).filter(|s| s.linkage == Linkage::Weak as u8) {
        let around = entries.get(&symbol.address).map(Vec::as_slice).unwrap_or_default();
        let function = symbol.is(SymbolKind::Function) && symbol.address != 0;
        let found = if function { read_stub(symbol.address, symbol.dispatch(), around) } else { None };
        let others = units_of.get(&symbol.name).is_some_and(|count| *count > 1);
        symbol.overridden = match found {
            Some((id, _)) if symbol.dispatch() == Dispatch::Armed => others && id != symbol.function_id,
            Some((_, slot)) => others && slot != symbol.slot,
            None => global.contains(&symbol.name) || (function && strong.contains(&symbol.name)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_name_means_the_wrapper_and_the_real_one_itself() {
        let wrapped = BTreeMap::from([
            ("open".to_owned(), Wrapped::Elsewhere),
            ("part".to_owned(), Wrapped::Everywhere),
            ("unused".to_owned(), Wrapped::Unknown),
        ]);
        let names = Names { wrapped, ..Names::default() };
        let linked = |name, here| names.linked(name, here).into_owned();
        assert_eq!(linked("open", false), "__wrap_open");
        assert_eq!(linked("open", true), "open");
        assert_eq!(linked("part", true), "__wrap_part");
        assert_eq!((linked("__real_open", false), linked("__real_part", false)), ("open".into(), "part".into()));
        assert_eq!(linked("unused", false), "unused");
        assert_eq!(linked("__real_unused", false), "__real_unused");
        assert_eq!(linked("__wrap_open", false), "__wrap_open");
    }
}
