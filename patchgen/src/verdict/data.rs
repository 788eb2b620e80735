//! Rules about data that exists in the running process: patch code meets it as it is.

use std::collections::BTreeMap;

use super::Case;
use crate::closure::Role;
use crate::diff::{Change, ChangeKind};
use crate::ir::Global;
use crate::ir::debug::Node;
use crate::problem::{Problem, Reason};
use crate::program::Facts;

pub(super) fn check(case: &Case<'_, '_, '_>) -> Vec<Problem> {
    let mut out = Vec::new();
    for change in case.changes.list.iter().filter(|c| !c.function) {
        match change.kind {
            ChangeKind::Global => out.extend(changed(case, change)),
            ChangeKind::Added => out.extend(added(case, change)),
            _ => {}
        }
    }
    out.extend(ambiguous_statics(case));
    out.extend(constructors(case));
    out.extend(file_asm(case));
    out
}

fn sides<'c, 'a>(case: &Case<'_, 'c, 'a>, change: &Change) -> (Option<&'c Facts<'a>>, Option<&'c Facts<'a>>) {
    let old = change.pair.old.and_then(|i| case.resolver.old.facts(i));
    (old, change.pair.new.and_then(|i| case.resolver.new.facts(i)))
}

/// The old definition of a variable: in its own unit, or wherever its name was defined.
fn before<'c, 'a>(case: &Case<'_, 'c, 'a>, old: Option<&'c Facts<'a>>, key: &str) -> Option<&'c Global<'a>> {
    let find = |f: &'c Facts<'a>| f.module.global_named(f.keys.name(key)).filter(|g| g.initialiser.is_some());
    old.and_then(find).or_else(|| case.resolver.old.units.iter().find_map(find))
}

fn changed(case: &Case<'_, '_, '_>, change: &Change) -> Option<Problem> {
    let (old, new) = sides(case, change);
    let new = new?;
    let Some(after) = new.module.global_named(&change.symbol) else {
        return Some(Problem::new(Reason::AliasChanged, &change.name, "is an alias or ifunc that changed"));
    };
    let before = before(case, old, new.keys.key(&change.symbol))?;
    let kind = |g: &Global<'_>| {
        format!(
            "{} {}",
            g.kind_of_value,
            g.tail_items()
                .iter()
                .filter(|i| !i.starts_with("!dbg"))
                .map(|i| i.to_string())
                .collect::<Vec<_>>()
                .join(", ")
        )
    };
    let (reason, message) = match () {
        // Constants are content: their users are updated and get the new one.
        () if before.constant && after.constant => return None,
        () if before.constant => (Reason::ConstnessChanged, String::from("was a constant and would become a variable")),
        () if after.constant => (Reason::ConstnessChanged, String::from("was a variable and would become a constant")),
        () if kind(before) != kind(after) || before.tls != after.tls => {
            let message = format!("is `{}` in the running process and would become `{}`", kind(before), kind(after));
            (Reason::VariableChanged, message)
        }
        () => {
            (Reason::InitialiserChanged, String::from("would have to start with another value, but it exists already"))
        }
    };
    Some(Problem::new(reason, &change.name, message).at(change.place.clone()))
}

fn added(case: &Case<'_, '_, '_>, change: &Change) -> Option<Problem> {
    let (old, new) = sides(case, change);
    let new = new?;
    let Some(global) = new.module.global_named(&change.symbol) else {
        let alias = new.module.aliases.iter().find(|a| a.name == change.symbol)?;
        let text = "chooses its implementation when the program starts";
        return alias.ifunc.then(|| Problem::new(Reason::NewIfunc, &change.name, text));
    };
    // Only a variable that patch code uses has to exist; a constant has no state.
    let needed = case.set.data.contains(&(new.index, change.symbol.clone()));
    if global.constant || !needed {
        return None;
    }
    let variable = new.module.variable(global)?;
    let dissolved = old.is_some_and(|old| was_dissolved(old, new, &variable));
    let message = "existed in the old source, but the compiler had dissolved it, and its value with it";
    dissolved.then(|| Problem::new(Reason::DissolvedState, &change.name, message).at(change.place.clone()))
}

/// Was the variable in the old debug information, without an object and without being a known constant?
fn was_dissolved(old: &Facts<'_>, new: &Facts<'_>, variable: &Node<'_>) -> bool {
    let name = variable.text("name");
    let scope = |facts: &Facts<'_>, node: &Node<'_>| {
        node.get("scope").and_then(|s| facts.module.subprogram(s)).and_then(|s| s.text("name"))
    };
    let wanted = scope(new, variable);
    old.module.metadata.iter().filter(|text| text.starts_with("!DIGlobalVariableExpression(")).any(|text| {
        let Some(expression) = Node::parse(text) else { return false };
        let constant = expression.get("expr").is_some_and(|e| e.contains("DW_OP_stack_value"));
        let found = expression.get("var").and_then(|v| old.module.debug_node(v));
        !constant && found.is_some_and(|v| v.text("name") == name && scope(old, &v) == wanted)
    })
}

/// Static locals of one name in one function are told apart by their order; when their number changed, order says
/// nothing any more.
fn ambiguous_statics(case: &Case<'_, '_, '_>) -> Vec<Problem> {
    let mut out = Vec::new();
    for pair in case.pairs {
        let (Some(o), Some(n)) = (pair.old, pair.new) else { continue };
        let (Some(old), Some(new)) = (case.resolver.old.facts(o), case.resolver.new.facts(n)) else { continue };
        for global in new.module.globals.iter().filter(|g| !g.constant && g.initialiser.is_some()) {
            let key = new.keys.key(global.name);
            let (before, after) = (old.keys.siblings(key), new.keys.siblings(key));
            if before != 0 && after != 0 && before != after {
                let message = format!("the function had {before} static variables of this name and has {after} now");
                let subject = key.rsplit_once('#').map_or(key, |(base, _)| base);
                let place = new.module.place_of_global(global);
                out.push(Problem::new(Reason::AmbiguousStatic, subject, message).at(place));
            }
        }
    }
    out
}

fn constructors(case: &Case<'_, '_, '_>) -> Vec<Problem> {
    let mut out = Vec::new();
    for name in ["llvm.global_ctors", "llvm.global_dtors"] {
        let list = |facts: Option<&Facts<'_>>| -> Vec<String> {
            let global = facts.and_then(|f| f.module.global_named(name));
            let text = global.and_then(|g| g.initialiser).unwrap_or_default();
            crate::callgraph::uses(text).into_iter().map(|(n, _)| n.to_owned()).collect()
        };
        for pair in case.pairs {
            let new = pair.new.and_then(|i| case.resolver.new.facts(i));
            let old = pair.old.and_then(|i| case.resolver.old.facts(i));
            let before = list(old);
            for function in list(new).into_iter().filter(|f| !before.contains(f)) {
                let place = new.and_then(|f| f.module.place_of_function(f.module.function_named(&function)?));
                let message = "is a new constructor or destructor; the process has already started";
                out.push(Problem::new(Reason::ConstructorsChanged, function, message).at(place));
            }
        }
    }
    // A constructor that changed has run in its old form.
    for ((unit, name), member) in &case.set.members {
        let facts = case.resolver.new.facts(*unit);
        let runs_at_start = facts.is_some_and(|f| {
            f.module
                .global_named("llvm.global_ctors")
                .and_then(|g| g.initialiser)
                .is_some_and(|i| crate::callgraph::uses(i).iter().any(|(n, _)| n == name))
        });
        if runs_at_start && matches!(member.role, Role::Redirect(_)) {
            let message = "is a constructor that changed; it has run already";
            out.push(Problem::new(Reason::ConstructorsChanged, name, message));
        }
    }
    out
}

fn file_asm(case: &Case<'_, '_, '_>) -> Vec<Problem> {
    let mut by_unit: BTreeMap<String, bool> = BTreeMap::new();
    for pair in case.pairs {
        let new = pair.new.and_then(|i| case.resolver.new.facts(i));
        let old = pair.old.and_then(|i| case.resolver.old.facts(i));
        if let Some(new) = new {
            by_unit.insert(new.unit.name.clone(), old.map_or(&[][..], |o| &o.module.asm) == new.module.asm);
        }
    }
    let changed = by_unit.into_iter().filter(|(_, same)| !same);
    changed.map(|(unit, _)| Problem::new(Reason::FileAsm, unit, "assembly at file level changed")).collect()
}
