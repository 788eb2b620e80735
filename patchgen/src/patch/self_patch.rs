//! Self-patch: the update set that replaces every function of a build by a copy of itself. It shows that
//! updating as such changes nothing, and what it costs, on any program.

use std::collections::{BTreeMap, BTreeSet};

use dsu_abi::patch::FUNCTION_STAYS;
use dsu_abi::symbols::SymbolKind;

use crate::check::consistency::Model;
use crate::check::redirect::{Redirect, redirect};
use crate::compare::callgraph::{CallGraph, uses};
use crate::compare::closure::{UpdateSet, close_over, holds_labels};
use crate::compare::resolve::{BaseSymbol, Definition, Resolver};
use crate::compare::side::Facts;
use crate::ir::is_defined;
use crate::ir::lex::unescape;
use crate::ir::{Function, Symbol};
use crate::problem::{Problem, Reason, Result};
use dsu_pass::markers::OUTLINED_LOOP;

/// Every function, and how many stay as they are for which reason.
#[derive(Debug, Default)]
pub struct SelfPatch {
    /// What the patch holds.
    pub set: UpdateSet,
    /// Reason -> functions that are left out.
    pub left_out: BTreeMap<String, usize>,
}

/// The update set of all functions of a build that stands on both sides of the resolver, as far as they can be
/// switched the way `model` says.
pub fn self_patch(resolver: &Resolver<'_, '_>, graph: &CallGraph, model: Model) -> Result<SelfPatch> {
    let mut left_out: BTreeMap<String, usize> = BTreeMap::new();
    let (mut functions, mut entries) = (Vec::new(), BTreeSet::new());
    for facts in &resolver.new.units {
        for function in facts.module.functions.iter().filter(|f| is_defined(f)) {
            let definition = (facts.index, function.name.to_owned());
            // The linker dropped it, or took another unit's copy of it.
            let Some(base) = resolver.base(&definition).filter(|_| resolver.is_in_program(&definition)) else {
                continue;
            };
            if !entries.insert(base.value) {
                continue;
            }
            let unfit = obstacle(resolver, facts, function, &base);
            match unfit.map_or_else(|| not_by_thread(resolver, &definition, &base, model), |why| Ok(Some(why)))? {
                None => functions.push((definition, base)),
                Some(reason) => *left_out.entry(reason).or_default() += 1,
            }
        }
    }
    let set = close_over(resolver, graph, functions, "every function is replaced by a copy of itself");
    if let Some(problem) = set.problems.first() {
        return Err(problem.clone());
    }
    let variable = set.data.iter().find(|d| {
        let facts = resolver.new.facts(d.0);
        facts.and_then(|f| f.module.global_named(&d.1)).is_some_and(|g| !g.constant)
    });
    match variable {
        Some(definition) => Err(Problem::new(Reason::Internal, &definition.1, "would exist twice")),
        None => Ok(SelfPatch { set, left_out }),
    }
}

/// A function that can have a quiescence point below it on the stack would keep its thread from ever switching. Here
/// the thread may switch all the same: an old version that goes on is equal to the new one.
pub fn exempt_from_stack_check(resolver: &Resolver<'_, '_>, graph: &CallGraph, redirects: &mut [Redirect]) {
    let mut above = BTreeSet::new();
    let mut open: Vec<Definition> = Vec::new();
    for facts in &resolver.new.units {
        let outlined = |name: &str| name.split(OUTLINED_LOOP).next().unwrap_or_default().to_owned();
        let switches = |f: &&Function<'_>| facts.unit.points.contains(&outlined(&unescape(f.name)));
        let functions = facts.module.functions.iter().filter(|f| is_defined(f)).filter(switches);
        open.extend(functions.map(|f| (facts.index, f.name.to_owned())));
    }
    while let Some(definition) = open.pop() {
        if above.insert(definition.clone()) {
            open.extend(graph.callers(&definition));
        }
    }
    for redirect in redirects.iter_mut().filter(|r| above.contains(&r.definition)) {
        redirect.flags |= FUNCTION_STAYS;
    }
}

fn not_by_thread(
    resolver: &Resolver<'_, '_>,
    definition: &Definition,
    base: &BaseSymbol,
    model: Model,
) -> Result<Option<String>> {
    let redirect = redirect(resolver, definition, base)?;
    Ok(redirect.bound_to_newest().filter(|_| model == Model::Thread).map(str::to_owned))
}

fn obstacle(
    resolver: &Resolver<'_, '_>,
    facts: &Facts<'_>,
    function: &Function<'_>,
    base: &BaseSymbol,
) -> Option<String> {
    let updatable = base.record.as_ref().is_some_and(|r| r.is(SymbolKind::Function) && r.slot != 0);
    if !updatable {
        let name = unescape(function.name);
        let why = facts.unit.skipped.iter().find(|(skipped, _)| *skipped == name).map(|(_, why)| why.clone());
        return Some(why.unwrap_or_else(|| String::from("it has no stub")));
    }
    if crate::check::rules::has_far_code(&facts.module) {
        return Some(String::from("it is compiled for the kernel or large code model"));
    }
    let variables = uses(function.body.unwrap_or_default()).into_iter().filter_map(|(name, _)| {
        let definition = resolver.definition(facts.index, name)?;
        let module = &resolver.new.facts(definition.0)?.module;
        match module.symbols.get(definition.1.as_str())? {
            Symbol::Global(i) if !module.globals[*i].constant => Some((&module.globals[*i], definition)),
            _ => None,
        }
    });
    for (variable, definition) in variables {
        if holds_labels(variable) {
            return Some(String::from("a variable holds addresses of its labels"));
        }
        if resolver.base(&definition).is_none() {
            return Some(format!("it uses the variable `{}`, which the base does not have", unescape(variable.name)));
        }
    }
    None
}
