//! Third step: the rewrites, one per file.
//!
//! 1. [`stubs`]: each updatable function gets its slot and stub.
//! 2. [`points`]: markers become two loads and a compare.
//! 3. Debug information that the user did not ask for goes.

pub mod points;
pub mod stubs;

use dsu_abi::stub::Dispatch;

use crate::capture::{Captured, function_id};
use crate::llvm::{Linkage, Module, Value};
use crate::options::Options;
use stubs::Stub;

/// A module with stubs, still without its records.
#[derive(Debug)]
pub struct Instrumented<'m> {
    pub(crate) captured: Captured<'m>,
    pub(crate) dispatch: Dispatch,
    pub(crate) stubs: Vec<Stub<'m>>,
    /// Variables of the program, not ours.
    pub(crate) variables: Vec<Value<'m>>,
    /// Aliases and ifuncs of the program, not ours.
    pub(crate) aliases: Vec<Value<'m>>,
}

/// Rewrites the module.
pub fn instrument<'m>(captured: Captured<'m>, options: &Options) -> Instrumented<'m> {
    let module = captured.survey.module;
    let variables = variables(module);
    let aliases = module.aliases().chain(module.ifuncs()).filter(|alias| !alias.name().is_empty()).collect();
    let ids = captured.survey.updatable.iter().map(|&f| (f, function_id(captured.unit_id, f)));
    let stubs = ids.map(|(function, id)| stubs::add(module, function, id, options.dispatch)).collect();
    points::lower(module);
    if options.strip_debug {
        module.strip_debug();
    }
    Instrumented { captured, dispatch: options.dispatch, stubs, variables, aliases }
}

/// Variables that a patch may have to refer to: those emitted, except constants whose place nobody can know.
fn variables<'m>(module: &'m Module<'_>) -> Vec<Value<'m>> {
    let emitted = |v: &Value<'_>| {
        let anonymous = v.linkage() == Linkage::Private && v.is_unnamed() && v.is_constant_variable();
        let lists = v.linkage() == Linkage::Appending || v.section() == "llvm.metadata";
        !v.is_declaration() && v.linkage() != Linkage::AvailableExternally && !anonymous && !lists
    };
    module.globals().filter(emitted).filter(|v| !v.name().is_empty()).collect()
}
