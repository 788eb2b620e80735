//! Fourth step: writes the records into the module, as assembly.

use dsu_abi::cursor::Strings;
use dsu_abi::note::{self, UnitNote};
use dsu_abi::stub::Dispatch;
use dsu_abi::symbols::{self, ENTRY_SIZE, HEADER_SIZE, SymbolKind};
use dsu_abi::unit;

use crate::assembly::{Section, symbol};
use crate::capture::function_id;
use crate::instrument::Instrumented;
use crate::llvm::{Linkage, Value};

/// Writes them.
pub(crate) fn record(instrumented: Instrumented<'_>) {
    let captured = &instrumented.captured;
    let module = captured.survey.module;
    let entries = entries(&instrumented);
    let named = entries.iter().flat_map(|entry| [Some(entry.value), entry.slot]).flatten();
    // A static function that is only called needs no keeping, its callers do that; and see `entry_for_assembly`.
    let only_called =
        |value: &Value<'_>| value.linkage().is_local() && value.is_function() && !value.has_address_taken();
    module.keep_for_assembly(&named.filter(|value| !only_called(value)).collect::<Vec<_>>());

    let mut bitcode = Section::new(unit::SECTION, "", "progbits", 8);
    bitcode.bytes(&captured.unit_record);
    module.append_inline_asm(&bitcode.finish());
    module.append_inline_asm(&symbol_table(captured.unit_id, &entries, instrumented.dispatch));
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    module.append_inline_asm(&unit_note(UnitNote {
        dispatch: instrumented.dispatch,
        functions: count(instrumented.stubs.len()),
        points: count(captured.points),
        skipped: count(captured.survey.skipped.len()),
    }));
}

/// A row of the symbol table.
struct Entry<'m> {
    value: Value<'m>,
    kind: SymbolKind,
    slot: Option<Value<'m>>,
    function_id: u64,
}

fn entries<'m>(instrumented: &Instrumented<'m>) -> Vec<Entry<'m>> {
    let captured = &instrumented.captured;
    let plain = |kind| move |value| Entry { value, kind, slot: None, function_id: 0 };
    let stubs = instrumented.stubs.iter().map(|stub| Entry {
        value: stub.function,
        kind: SymbolKind::Function,
        slot: Some(stub.slot),
        function_id: function_id(captured.unit_id, stub.function),
    });
    let left_alone = captured.survey.skipped.iter().map(|skipped| skipped.function);
    // Not emitted at all, or emitted under a name that only LLVM's mangler knows.
    let left_alone = left_alone.filter(|f| f.linkage() != Linkage::AvailableExternally && !f.is_vector_call());
    let variables = instrumented
        .variables
        .iter()
        .copied()
        .map(|value| plain(if value.is_thread_local() { SymbolKind::Tls } else { SymbolKind::Data })(value));
    let aliases = instrumented.aliases.iter().copied().map(plain(SymbolKind::Alias));
    stubs.chain(left_alone.map(plain(SymbolKind::PlainFunction))).chain(variables).chain(aliases).collect()
}

fn linkage(value: Value<'_>) -> symbols::Linkage {
    match value.linkage() {
        Linkage::Internal | Linkage::Private => symbols::Linkage::Local,
        Linkage::LinkOnce(_) | Linkage::Weak(_) | Linkage::Common | Linkage::ExternalWeak => symbols::Linkage::Weak,
        _ if value.has_comdat() => symbols::Linkage::Weak,
        _ => symbols::Linkage::Global,
    }
}

fn symbol_table(unit_id: u64, entries: &[Entry<'_>], dispatch: Dispatch) -> String {
    let mut strings = Strings::default();
    let names: Vec<u32> = entries.iter().map(|entry| strings.add(&entry.value.name())).collect();
    let mut strings = strings.into_bytes();
    strings.resize(strings.len().next_multiple_of(8), 0);
    let count = u32::try_from(entries.len()).expect("a unit has fewer than 2^32 symbols");
    let strings_size = u32::try_from(strings.len()).expect("string tables stay below 4 GiB");

    let mut section = Section::new(symbols::SECTION, "", "progbits", 8);
    section.bytes(symbols::MAGIC);
    section.u64(&[HEADER_SIZE + u64::from(count) * ENTRY_SIZE + strings.len() as u64, unit_id]);
    section.u32(&[count, strings_size]);
    for (entry, name) in entries.iter().zip(names) {
        section.u32(&[name, u32::from_le_bytes([entry.kind as u8, dispatch as u8, linkage(entry.value) as u8, 0])]);
        let offset = if entry.kind == SymbolKind::Tls { "@DTPOFF" } else { "" };
        section.address(&format!("{}{offset}", symbol(entry.value)));
        section.address(&entry.slot.map_or_else(|| "0".to_owned(), symbol));
        section.u64(&[entry.function_id]);
    }
    section.bytes(&strings);
    section.finish()
}

fn unit_note(unit: UnitNote) -> String {
    let mut section = Section::new(".note.dsu", "a", "note", 4);
    section.u32(&[4, note::DESC_SIZE, note::TYPE_UNIT]);
    section.bytes(note::OWNER);
    section.bytes(&unit.to_bytes());
    section.finish()
}
