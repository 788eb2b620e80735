//! How far the functions of a build reach, and which of them lie in several pieces.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dsu_abi::stub::Dispatch;
use dsu_abi::symbols::SymbolKind as Recorded;
use object::read::elf::ElfFile64;
use object::{Endianness, Object, ObjectSection, ObjectSymbol, SymbolKind};

use super::Unit;
use crate::arch::x86_64::read_stub;

type Elf<'a> = ElfFile64<'a, Endianness>;

/// What is appended to the name of a function's further pieces: by LLVM's machine function splitter, and by
/// `-fbasic-block-sections`.
const PIECES: [&str; 2] = [".cold", ".__part."];

/// Bytes of each function with a stub, by its entry: never less than it has. From the symbol table, else up to
/// the next function that is known, else to the end of the section.
pub(super) fn sizes(file: &Elf<'_>, units: &[Unit], entries: &BTreeMap<u64, Vec<u8>>) -> BTreeMap<u64, u64> {
    let mut named: HashMap<u64, u64> = HashMap::new();
    for symbol in file.symbols().filter(|s| s.kind() == SymbolKind::Text && s.is_definition()) {
        let size = named.entry(symbol.address()).or_default();
        *size = symbol.size().max(*size);
    }
    let sections = file.sections().map(|s| (s.address(), s.address() + s.size()));
    let sections: Vec<(u64, u64)> = sections.filter(|&(start, _)| start != 0).collect();
    let stubs = stubs_found(units, entries);
    let known = |entry: u64| named.get(&entry).copied().filter(|&size| size != 0);
    let beyond = |entry: u64| {
        let end = sections.iter().find(|(start, end)| (*start..*end).contains(&entry)).map(|(_, end)| *end)?;
        let next = stubs.range(entry + 1..).next().copied().unwrap_or(end);
        Some(next.min(end) - entry)
    };
    stubs.iter().filter_map(|&entry| Some((entry, known(entry).or_else(|| beyond(entry))?))).collect()
}

/// Entries at which there is a stub: gold leaves other numbers where it dropped a function.
fn stubs_found(units: &[Unit], entries: &BTreeMap<u64, Vec<u8>>) -> BTreeSet<u64> {
    let functions = units.iter().flat_map(|u| &u.symbols).filter(|s| s.is(Recorded::Function));
    let found = functions.filter(|s| {
        let text = entries.get(&s.address).map(Vec::as_slice).unwrap_or_default();
        let armed = s.dispatch() == Dispatch::Armed;
        read_stub(s.address, s.dispatch(), text)
            .is_some_and(|(id, slot)| if armed { id == s.function_id } else { slot == s.slot })
    });
    found.map(|s| s.address).collect()
}

/// Names of functions that the code generator laid out in several pieces.
pub(super) fn split(file: &Elf<'_>, units: &[Unit]) -> BTreeSet<String> {
    let whole: BTreeSet<u64> =
        units.iter().flat_map(|u| &u.symbols).filter(|s| s.is_function()).map(|s| s.address).collect();
    let text = file.symbols().filter(|s| s.is_definition() && !whole.contains(&s.address()));
    let names = text.filter_map(|s| s.name().ok().and_then(first_piece));
    names.map(str::to_owned).collect()
}

/// `f` for `f.cold` and `f.__part.1`.
fn first_piece(name: &str) -> Option<&str> {
    let cut = PIECES.iter().filter_map(|piece| name.find(piece)).min()?;
    name.get(..cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_pieces_lead_to_their_function() {
        assert_eq!(first_piece("work.cold"), Some("work"));
        assert_eq!(first_piece("work.__part.2"), Some("work"));
        assert_eq!(first_piece("work"), None);
        assert_eq!(first_piece("cold"), None);
    }
}
