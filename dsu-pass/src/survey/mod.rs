//! First step: look at the module, change nothing, and decide what becomes updatable.

mod annotations;
mod list;
mod reason;

use std::collections::HashSet;

use list::List;
pub use list::ListError;
pub use reason::{Reason, UnitReason};

use crate::llvm::{Linkage, Module, Value};
use crate::options::Options;
use crate::toolchain::is_ours;

/// What will be done to a module.
#[derive(Debug)]
pub struct Survey<'m> {
    /// The module, unchanged so far.
    pub module: &'m Module<'m>,
    /// Functions that get a stub, in module order.
    pub updatable: Vec<Value<'m>>,
    /// Functions left alone, in module order.
    pub skipped: Vec<Skipped<'m>>,
}

/// A function left alone.
#[derive(Debug)]
pub struct Skipped<'m> {
    /// The function.
    pub function: Value<'m>,
    /// Why.
    pub reason: Reason,
}

/// Why the unit as a whole is left alone, if it is.
pub fn unit_reason(module: &Module<'_>) -> Option<UnitReason> {
    if ["ThinLTO", "EnableSplitLTOUnit"].iter().any(|flag| module.flag(flag).is_some()) {
        return Some(UnitReason::LinkTimeOptimisation);
    }
    if module.inline_asm().contains(dsu_abi::unit::SECTION) {
        return Some(UnitReason::AlreadyInstrumented);
    }
    let triple = module.triple();
    if !is_ours(&triple) {
        return Some(UnitReason::Target(triple));
    }
    /// `llvm::CodeModel::Large`, as the module flag spells it.
    const LARGE: u64 = 4;
    (module.flag("Code Model") == Some(LARGE)).then_some(UnitReason::CodeModel)
}

/// Decides for each function of the module.
///
/// # Errors
/// When the list of functions to leave alone cannot be used.
pub fn survey<'m>(module: &'m Module<'_>, options: &Options) -> Result<Survey<'m>, ListError> {
    let list = options.list.as_deref().map(List::read).transpose()?;
    let resolvers: HashSet<_> = module.ifuncs().flat_map(Value::operands).map(through_aliases).collect();
    let annotated = annotations::functions_annotated(module, "dsu::never");
    let source = module.source_file_name();
    let reason = |function: Value<'m>| {
        let listed = || list.as_ref().and_then(|list| list.reason(function, &source));
        own_entry(function)
            .or_else(|| resolvers.contains(&function).then_some(Reason::IfuncResolver))
            .or_else(|| annotated.contains(&function).then_some(Reason::Annotated))
            .or_else(listed)
    };
    let (mut updatable, mut skipped) = (Vec::new(), Vec::new());
    for function in module.functions().filter(|f| !f.is_declaration()) {
        match reason(function) {
            Some(reason) => skipped.push(Skipped { function, reason }),
            None => updatable.push(function),
        }
    }
    Ok(Survey { module, updatable, skipped })
}

fn through_aliases(mut value: Value<'_>) -> Value<'_> {
    while value.kind() == crate::llvm::ValueKind::LLVMGlobalAliasValueKind {
        match value.operands().next() {
            Some(aliasee) => value = aliasee,
            None => break,
        }
    }
    value
}

/// Reasons that lie in the function itself: its entry is not the compiler's to shape, or not ours.
fn own_entry(function: Value<'_>) -> Option<Reason> {
    let has = |key: &str| function.string_attribute(key).is_some_and(|value| value != "0" && value != "false");
    let xray = function.string_attribute("function-instrument");
    if function.linkage() == Linkage::AvailableExternally {
        Some(Reason::AvailableExternally)
    } else if function.is_vector_call() {
        Some(Reason::VectorCall)
    } else if function.has_attribute("naked") {
        Some(Reason::Naked)
    } else if function.has_metadata("func_sanitize") {
        Some(Reason::FunctionSanitizer)
    } else if function.has_prefix_data() {
        Some(Reason::PrefixData)
    } else if function.has_prologue_data() {
        Some(Reason::PrologueData)
    } else if function.has_metadata("kcfi_type") {
        Some(Reason::Kcfi)
    } else if has("patchable-function-entry") || has("patchable-function-prefix") {
        Some(Reason::PatchableEntry)
    } else if xray.as_deref() == Some("xray-always")
        || (function.string_attribute("xray-instruction-threshold").is_some() && xray.as_deref() != Some("xray-never"))
    {
        Some(Reason::XRay)
    } else if has("fentry-call") {
        Some(Reason::Fentry)
    } else {
        None
    }
}
