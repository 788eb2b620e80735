//! One small module of IR text per unit: the functions and data that the patch holds, and declarations of
//! everything they refer to.
//!
//! A variable that the patch adds can be preempted, as far as the linker knows, so that all references to it go
//! through words of their own, which the runtime may lead to the storage of an earlier patch.
//!
//! What becomes a reference to the base loses `dso_local`, visibility and comdat, and gets a symbol of its own
//! (`__dsu_base.3.name`) that nothing else can define; calls to it go through the GOT (`nonlazybind`), so that every
//! such reference ends up in `.rela.dyn`. Debug information is left out.

mod persistent;
mod render;

use std::collections::{BTreeMap, HashMap};

use crate::build::names::Wrapped;
use crate::build::{Build, libraries};
use crate::compare::closure::{Referent, UpdateSet};
use crate::ir::Symbol;
use crate::ir::debug::Place;
use crate::ir::lex::{escape, unescape};
use crate::ir::symver::without_version;
use crate::problem::{Problem, Reason, Result};
pub use persistent::Persistent;

use crate::compare::resolve::{BaseKind, BaseSymbol, Definition, Resolver};

/// Marker call of `DSU_QUIESCENCE_POINT()`; the pass replaces it in the program, this module in the patch.
const POINT_MARKER: &str = "__dsu_quiescence_point";

/// IR text of one unit's part of the patch.
#[derive(Debug)]
pub struct ExtractedModule {
    /// Unit name.
    pub unit: String,
    /// IR text.
    pub text: String,
}

/// All extracted modules, and what their symbols mean.
#[derive(Debug, Default)]
pub struct Extracted {
    /// One per unit.
    pub list: Vec<ExtractedModule>,
    /// Symbol in the patch object -> what it is in the base.
    pub base: BTreeMap<String, BaseSymbol>,
    /// Variables that the patch adds.
    pub persistent: Vec<Persistent>,
    named: HashMap<(u64, BaseKind, String), String>,
    /// Function or datum -> its symbol in the patch object.
    pub symbols: BTreeMap<Definition, String>,
    /// What is left to the dynamic linker, with a function that uses it. Weak references may stay open.
    pub external: BTreeMap<String, Option<Place>>,
    /// The address of a function that only the patch has is stored or passed.
    pub address_taken: bool,
}

/// Extracts the update set.
pub fn extract(resolver: &Resolver<'_, '_>, set: &UpdateSet) -> Result<Extracted> {
    let (address_taken, persistent) = (set.new_function_address_taken(resolver), persistent::variables(resolver, set));
    let mut extracted = Extracted { address_taken, persistent, ..Extracted::default() };
    for (number, definition) in set.members.keys().chain(&set.data).enumerate() {
        let symbol = match is_private(resolver, definition) {
            true => unescape(&definition.1),
            false => format!("{}.dsu{number}", unescape(&definition.1)),
        };
        extracted.symbols.insert(definition.clone(), symbol);
    }
    let mut by_unit: BTreeMap<usize, Vec<&Definition>> = BTreeMap::new();
    for definition in set.members.keys().chain(&set.data) {
        by_unit.entry(definition.0).or_default().push(definition);
    }
    for (unit, definitions) in by_unit {
        let extracted_module = render::unit(resolver, set, &mut extracted, unit, &definitions)?;
        extracted.list.push(extracted_module);
    }
    check_external(resolver.old.build, &extracted)?;
    Ok(extracted)
}

fn check_external(base: &Build, extracted: &Extracted) -> Result<()> {
    libraries::check_provided(base, extracted.external.keys().map(String::as_str)).map_err(|problem| {
        let place = extracted.external.get(&problem.subject).cloned().flatten();
        problem.at(place)
    })
}

/// Private constants keep their names: nothing outside their module sees them.
fn is_private(resolver: &Resolver<'_, '_>, definition: &Definition) -> bool {
    let facts = resolver.new.facts(definition.0);
    let global = facts.and_then(|f| f.module.global_named(&definition.1));
    global.is_some_and(|g| g.linkage == "private" && g.constant)
}

impl Extracted {
    /// Number of a variable that the patch adds.
    fn persistent(&self, definition: &Definition) -> Option<usize> {
        // In the order of the update set's data.
        self.persistent.binary_search_by(|c| c.definition.cmp(definition)).ok()
    }

    /// The patch object's symbol for something of the base.
    pub(crate) fn base_symbol(&mut self, base: &BaseSymbol) -> String {
        let key = (base.value, base.kind, base.name.clone());
        if let Some(known) = self.named.get(&key) {
            return known.clone();
        }
        let name = format!("__dsu_base.{}.{}", self.base.len(), base.name);
        self.base.insert(name.clone(), base.clone());
        self.named.insert(key, name.clone());
        name
    }
}

/// How a name is printed in an extracted module, and what it is there.
struct Renamed {
    printed: String,
    base: Option<BaseSymbol>,
    /// Left to the dynamic linker.
    external: bool,
}

fn rename(
    resolver: &Resolver<'_, '_>,
    set: &UpdateSet,
    extracted: &mut Extracted,
    unit: usize,
    name: &str,
    user: Option<&Place>,
) -> Result<Renamed> {
    if name.starts_with("llvm.") || name == POINT_MARKER {
        return Ok(Renamed { printed: name.to_owned(), base: None, external: false });
    }
    check_wrapped(resolver, unit, name, user)?;
    match set.target(resolver, unit, name) {
        Referent::Base(base) => {
            Ok(Renamed { printed: escape(&extracted.base_symbol(&base)), base: Some(base), external: false })
        }
        Referent::Patch(definition) => {
            let symbol = extracted.symbols.get(&definition);
            let missing = || Problem::new(Reason::Internal, name, "was not given a symbol in the patch");
            Ok(Renamed { printed: escape(symbol.ok_or_else(missing)?), base: None, external: false })
        }
        Referent::External => {
            let facts = resolver.new.facts(unit);
            let alias = facts.is_some_and(|f| matches!(f.module.symbols.get(name), Some(Symbol::Alias(_))));
            if alias {
                return Err(Problem::new(Reason::AliasChanged, name, "is an alias that the base does not have"));
            }
            let weak = facts.is_some_and(|f| match f.module.symbols.get(name) {
                Some(Symbol::Function(i)) => f.module.functions[*i].linkage == "extern_weak",
                Some(Symbol::Global(i)) => f.module.globals[*i].linkage == "extern_weak",
                _ => false,
            });
            let linked = resolver.linked(unit, name).into_owned();
            if !weak {
                extracted.external.entry(provided_name(resolver, unit, &linked)?).or_insert_with(|| user.cloned());
            }
            Ok(Renamed { printed: linked, base: None, external: true })
        }
    }
}

/// A name that `--wrap` may have led elsewhere, or not.
fn check_wrapped(resolver: &Resolver<'_, '_>, unit: usize, name: &str, user: Option<&Place>) -> Result<()> {
    let plain = name.strip_prefix("__real_").unwrap_or(name);
    let elsewhere = resolver.definition(unit, name).is_none_or(|d| d.0 != unit);
    if elsewhere && resolver.new.build.names.wrapped.get(plain) == Some(&Wrapped::Unknown) {
        let message = format!(
            "is used by the patch, and the program has `__wrap_{plain}`, but no code shows whether it was linked with \
             `--wrap={plain}`"
        );
        return Err(Problem::new(Reason::Wrapped, plain, message).at(user.cloned()));
    }
    Ok(())
}

/// The name by which a library provides what a unit calls `name`: a directive may have given that another one.
fn provided_name(resolver: &Resolver<'_, '_>, unit: usize, name: &str) -> Result<String> {
    let name = unescape(name);
    let list = resolver.new.facts(unit).map_or_else(|| Ok(Vec::new()), |f| f.module.symvers());
    let list = list.map_err(|line| {
        let unit = resolver.new.build.units[unit].name.clone();
        Problem::new(
            Reason::FileAsm,
            unit,
            format!("says which version of a symbol is meant in a way that is not understood: `{line}`"),
        )
    })?;
    Ok(list.iter().find(|s| s.name == name).map_or_else(|| without_version(&name), |s| s.symbol()).to_owned())
}

/// Thread-local variables of a program are at fixed offsets from the thread pointer; those of a library may not be.
fn base_tls_model(base: &Build) -> &'static str {
    if base.is_library() { "thread_local" } else { "thread_local(initialexec)" }
}
