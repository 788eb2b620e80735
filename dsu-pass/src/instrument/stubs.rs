//! Slots and stubs: see [`dsu_abi::stub`] for the bytes.

use dsu_abi::stub::{Dispatch, ENDBR64, JMP_INDIRECT, JMP_SIZE, PREFIX_SIZE};

use crate::assembly;
use crate::llvm::{Field, Module, Value};

/// Never executed: between the function id and the stub.
const INT3: [u8; 2] = [0xcc; 2];
/// Alignment of a slot: it is stored to in one piece.
const SLOT_ALIGN: u32 = 8;

/// An updatable function.
#[derive(Debug, Clone, Copy)]
pub struct Stub<'m> {
    /// The function.
    pub function: Value<'m>,
    /// Where its stub jumps.
    pub slot: Value<'m>,
}

/// Makes a function updatable; `id` is found before its entry (dispatch `armed`).
pub fn add<'m>(module: &'m Module<'_>, function: Value<'m>, id: u64, dispatch: Dispatch) -> Stub<'m> {
    let slot = match dispatch {
        Dispatch::Armed => armed(module, function, id),
        Dispatch::Always => always(module, function),
    };
    Stub { function, slot }
}

fn armed<'m>(module: &'m Module<'_>, function: Value<'m>, id: u64) -> Value<'m> {
    let slot = slot(module, function, module.packed(&[Field::U64(0)]));
    let align = function.alignment().max(PREFIX_SIZE as u32);
    function.set_alignment(align);
    let pad = vec![INT3[0]; (u64::from(align) - PREFIX_SIZE) as usize];
    // The entry is where the distance starts, as for an instruction that ends there.
    let prefix = module.packed(&[
        Field::Bytes(&pad),
        Field::U64(id),
        Field::Bytes(&INT3),
        Field::Bytes(&JMP_INDIRECT),
        Field::Distance { to: slot, from: entry_for_assembly(module, function), addend: 0 },
    ]);
    function.set_prefix_data(prefix);
    function.set_string_attribute(c"patchable-function", c"prologue-short-redirect");
    slot
}

fn always<'m>(module: &'m Module<'_>, function: Value<'m>) -> Value<'m> {
    let landing: &[u8] = if module.flag("cf-protection-branch").is_some_and(|on| on != 0) { &ENDBR64 } else { &[] };
    let body = landing.len() as i64 + JMP_SIZE as i64;
    let entry = this_definition(module, function);
    let slot = slot(module, function, module.packed(&[Field::Address { of: entry, addend: body }]));
    function.set_prologue_data(module.packed(&[
        Field::Bytes(landing),
        Field::Bytes(&JMP_INDIRECT),
        Field::Distance { to: slot, from: entry, addend: -body },
    ]));
    slot
}

fn slot<'m>(module: &'m Module<'_>, function: Value<'m>, value: Value<'m>) -> Value<'m> {
    let slot = module.add_private_variable(&format!("__dsu_slot.{}", plain_name(function)), value, SLOT_ALIGN);
    slot.join_comdat_of(function);
    slot
}

/// A name for the function that no other definition can take over.
fn this_definition<'m>(module: &'m Module<'_>, function: Value<'m>) -> Value<'m> {
    if function.linkage().is_local() {
        return function;
    }
    module.add_private_alias(&format!("__dsu_entry.{}", plain_name(function)), function)
}

/// The same, made in assembly, where LLVM does not see it: a static function whose address it sees taken would
/// earn an `endbr64` that the plain compiler does not give it.
fn entry_for_assembly<'m>(module: &'m Module<'_>, function: Value<'m>) -> Value<'m> {
    let name = format!(".L__dsu_entry.{}", plain_name(function));
    module.append_inline_asm(&format!(".set {},{}\n", assembly::quoted(&name), assembly::symbol(function)));
    module.external_byte(&format!("\x01{name}"))
}

fn plain_name(function: Value<'_>) -> String {
    let name = function.name();
    name.strip_prefix('\x01').unwrap_or(&name).to_owned()
}
