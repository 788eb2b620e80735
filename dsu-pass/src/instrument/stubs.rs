//! Slots and stubs: see [`dsu_abi::stub`] for the bytes.

use dsu_abi::stub::{Dispatch, ENDBR64, JMP_INDIRECT, JMP_SIZE, PREFIX_SIZE};

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
    // An address taken only by the stub must not earn a static function the `endbr64` it would not have had.
    if function.linkage().is_local() && !function.has_address_taken() {
        function.set_attribute("nocf_check");
    }
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
        Field::Distance { to: slot, from: this_definition(module, function), addend: 0 },
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
    let name = function.name();
    let name = name.strip_prefix('\x01').unwrap_or(&name);
    let slot = module.add_private_variable(&format!("__dsu_slot.{name}"), value, SLOT_ALIGN);
    slot.join_comdat_of(function);
    slot
}

/// A name for the function that no other definition can take over.
fn this_definition<'m>(module: &'m Module<'_>, function: Value<'m>) -> Value<'m> {
    if function.linkage().is_local() {
        return function;
    }
    let name = function.name();
    let name = name.strip_prefix('\x01').unwrap_or(&name);
    module.add_private_alias(&format!("__dsu_entry.{name}"), function)
}
