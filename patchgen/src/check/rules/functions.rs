//! Rules about functions.

use dsu_abi::symbols::SymbolKind;

use super::Case;
use crate::compare::callgraph::Use;
use crate::compare::closure::Role;
use crate::compare::diff::{Change, ChangeKind};
use crate::compare::fingerprint::signature::signature;
use crate::compare::fingerprint::without_unique;
use crate::compare::side::{Facts, Side};
use crate::ir::lex::unescape;
use crate::ir::{Module, Symbol};
use crate::problem::{Problem, Reason, Related, RelatedKind};

pub(super) fn check(case: &Case<'_, '_, '_>) -> Vec<Problem> {
    let mut out = Vec::new();
    for (definition, member) in &case.set.members {
        let facts = case.resolver.new.facts(definition.0);
        let place = facts.and_then(|f| f.module.place_of_function(f.module.function_named(&definition.1)?));
        let Role::Redirect(base) = &member.role else { continue };
        let name = unescape(&definition.1);
        if !case.resolver.is_certain(definition.0) {
            let message =
                format!("holds `{name}`, which must change, but several units of this name did, so which is which?");
            out.push(Problem::new(Reason::AmbiguousUnit, &base.unit, message).at(place));
            continue;
        }
        let updatable = base.record.as_ref().is_some_and(|r| r.is(SymbolKind::Function) && r.slot != 0);
        if !updatable {
            let skipped = case.resolver.old.build.units.iter().filter(|u| u.name == base.unit).flat_map(|u| &u.skipped);
            let why = skipped.into_iter().find(|(f, _)| *f == name).map_or("it has no stub", |(_, why)| why.as_str());
            let message = format!("must change, but it is not updatable in the base: {why}");
            out.push(Problem::new(Reason::Skipped, name, message).at(place));
        }
    }
    out.extend(signatures(case));
    out.extend(code_models(case));
    out
}

fn signatures(case: &Case<'_, '_, '_>) -> Vec<Problem> {
    let mut out = Vec::new();
    for change in case.changes.functions(ChangeKind::Signature) {
        let (old, new) = (case.resolver.old, case.resolver.new);
        let former = case.resolver.former_name(change.pair, &change.symbol);
        let words = |side: &Side<'_>, index: Option<usize>, symbol: &str| {
            let facts = index.and_then(|i| side.facts(i));
            facts.and_then(|f| f.module.function_named(symbol).map(signature)).unwrap_or_default()
        };
        let (before, after) = (words(old, change.pair.old, former), words(new, change.pair.new, &change.symbol));
        let what = match before == after {
            true => String::from("it or what it takes has another meaning now"),
            false => format!("its signature changed from `{before}` to `{after}`"),
        };
        let holder = |side: &Side<'_>, index, symbol: &str| {
            let holder = address_holder(side, index, symbol)?;
            // What is called through it travels with it, and its parent is replaced too.
            (holder.kind != RelatedKind::Function || !is_handed_on(symbol)).then_some(holder)
        };
        let holder = holder(old, change.pair.old, former).or_else(|| holder(new, change.pair.new, &change.symbol));
        if let Some(holder) = holder {
            let place = holder.file.as_ref().zip(holder.line).map_or(String::new(), |(f, l)| format!(" ({f}:{l})"));
            let message = format!("{what}, but `{}`{place} holds its address", holder.name);
            let problem = Problem::new(Reason::AddressTaken, &change.name, message).at(change.place.clone());
            out.push(problem.about(vec![holder]));
        } else if old.build.is_library() && is_exported(old, change) {
            let message = format!("{what}, but the library exports it");
            out.push(Problem::new(Reason::ExportedSignature, &change.name, message).at(change.place.clone()));
        }
    }
    out
}

/// Does a library show a function to others, by its own name or by one that `.symver` gives it?
fn is_exported(side: &Side<'_>, change: &Change) -> bool {
    let asm = change.pair.old.and_then(|i| side.facts(i)).map(|f| f.module.symvers());
    let versioned = match asm {
        Some(Ok(list)) => list.iter().any(|s| s.name == change.name),
        Some(Err(_)) => true,
        None => false,
    };
    versioned || side.build.exported.binary_search(&change.name).is_ok()
}

/// A part that the compiler cuts off a function, which hands its address to whoever runs it, along with all it works on: regions
/// and tasks of OpenMP, and what a coroutine does when it goes on or ends. Nobody else can name it, and whoever holds the address
/// of the old part holds the old part's data.
fn is_handed_on(symbol: &str) -> bool {
    const PARTS: [&str; 8] = [
        ".omp_outlined",
        ".omp_outlined_debug__",
        ".omp.reduction.reduction_func",
        ".omp_task_entry.",
        ".omp_task_privates_map.",
        ".resume",
        ".destroy",
        ".cleanup",
    ];
    let name = without_unique(symbol.trim_matches('"'));
    let number = name.rsplit_once('.').filter(|(_, n)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let name = number.map_or(name.as_str(), |(front, _)| front);
    PARTS.iter().any(|part| name.ends_with(part) || (part.ends_with('.') && name.ends_with(part.trim_end_matches('.'))))
}

/// Who uses a function's address other than by calling it?
fn address_holder(side: &Side<'_>, index: Option<usize>, symbol: &str) -> Option<Related> {
    let home = index.and_then(|i| side.facts(i))?;
    let local = home.module.function_named(symbol).is_some_and(|f| matches!(f.linkage, "internal" | "private"));
    let places: Vec<&Facts<'_>> = side.units.iter().filter(|f| !local || f.index == home.index).collect();
    places.into_iter().find_map(|facts| holder_in(&facts.module, symbol))
}

fn holder_in(module: &Module<'_>, symbol: &str) -> Option<Related> {
    if !matches!(module.symbols.get(symbol), Some(Symbol::Function(_))) {
        return None;
    }
    let takes =
        |text: &str| text.contains(symbol) && crate::compare::callgraph::uses(text).contains(&(symbol, Use::Address));
    let own = ["llvm.used", "llvm.compiler.used"];
    let mut in_data = module.globals.iter().filter(|g| !own.contains(&g.name));
    if let Some(data) = in_data.find(|g| g.initialiser.is_some_and(takes)) {
        return Some(Related::at(RelatedKind::Variable, unescape(data.name), module.place_of_global(data)));
    }
    if let Some(alias) = module.aliases.iter().find(|a| takes(a.text)) {
        return Some(Related::at(RelatedKind::Variable, unescape(alias.name), None));
    }
    let hands_on = |body: &str| takes(body) && !crate::compare::callgraph::address_never_escapes(body, symbol);
    let code = module.functions.iter().find(|f| f.body.is_some_and(hands_on))?;
    // The line that takes it says more than where the function begins.
    let line = code.body.and_then(|b| b.lines().find(|l| takes(l))).and_then(|l| l.split("!dbg ").nth(1));
    let number = line.and_then(|l| module.debug_node(l.split(',').next()?)).map_or(0, |n| n.number("line"));
    let mut place = module.place_of_function(code);
    if let (Some(place), Ok(number)) = (&mut place, u32::try_from(number)) {
        place.line = if number == 0 { place.line } else { number };
    }
    Some(Related::at(RelatedKind::Function, unescape(code.name), place))
}

fn code_models(case: &Case<'_, '_, '_>) -> Vec<Problem> {
    let units = case.resolver.new.units.iter().filter(|f| has_far_code(&f.module));
    let text = "is compiled for the kernel or large code model";
    units.map(|f| Problem::new(Reason::CodeModel, &f.unit.name, text)).collect()
}

/// Is a unit compiled for the kernel or large code model?
pub(crate) fn has_far_code(module: &Module<'_>) -> bool {
    // LLVM's CodeModel: kernel 2, large 4.
    flag(module, "Code Model").is_some_and(|m| m == 2 || m == 4)
}

/// A module flag's value.
fn flag(module: &Module<'_>, name: &str) -> Option<u32> {
    let quoted = format!("!\"{name}\", i32 ");
    let list = module.named_metadata.get("llvm.module.flags")?;
    let nodes = list.trim_start_matches("!{").trim_end_matches('}').split(", ").filter_map(|n| module.node(n));
    nodes.filter_map(|n| n.split_once(quoted.as_str())).find_map(|(_, v)| v.trim_end_matches('}').parse().ok())
}
