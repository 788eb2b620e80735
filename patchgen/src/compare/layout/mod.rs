//! Types whose layout differs between two builds, from debug information, and whether that does any harm.
//!
//! What harms is data of the old layout that new code meets. Code that is the same in both builds was compiled
//! against both layouts, so it suits either; new code suits the new one. So a changed type is harmless when
//! - no variable, no other structure and no conversion leads to it: its objects are made by functions, on the
//!   stack or by an allocator;
//! - each of them stays in sight of old code ([`escape_analysis`]): nobody can find it again in memory;
//! - functions that take it are replaced together with their callers, as if their signature had changed, so that
//!   a running old function never calls a new one with an object of the old layout.
//!
//! Everything else is refused. What is not seen: bytes of an object that the optimiser kept in registers and that
//! the source copies into untyped memory as a whole.

mod escape_analysis;
mod reachability;
pub(crate) mod shape;
mod unnamed;

use std::collections::{BTreeMap, BTreeSet};

use crate::build::pair::Pair;
use crate::compare::diff::{Change, ChangeKind, Changes};
use crate::compare::resolve::Resolver;
use crate::compare::side::Facts;
use crate::ir::debug::Place;
use crate::ir::is_defined;
use crate::ir::lex::unescape;
use crate::problem::{Problem, Reason, Related, RelatedKind};
use escape_analysis::{EscapeAnalysis, Takers};
use reachability::{Nodes, Reachability};
use shape::{Difference, Shapes, difference};

/// A type that is laid out differently.
#[derive(Debug, Clone)]
pub struct Changed {
    name: String,
    unit: String,
    pair: Pair,
    place: Option<Place>,
    difference: Difference,
    /// The node of one without a name, in the old unit.
    unnamed: Option<usize>,
    /// Why data of the old layout may be met; none when it cannot.
    live: Option<String>,
    /// Variables and functions that have to do with it.
    touching: Vec<Related>,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Types {
    list: Vec<Changed>,
    /// Whether objects stay in sight depends on units that were not read.
    pub needs_all: bool,
    /// Type, unit and words of members that have another name at the same place.
    renamed: Vec<(String, String, String)>,
}

impl Types {
    /// Type, unit and words of members that have another name at the same place.
    pub fn renamed(&self) -> impl Iterator<Item = (&str, &str, String)> {
        self.renamed.iter().map(|(name, unit, words)| (name.as_str(), unit.as_str(), words.clone()))
    }
}

/// Why types that live data may have stand in the way.
pub(crate) fn problems(types: &Types) -> impl Iterator<Item = Problem> {
    types.list.iter().filter_map(|c| {
        let why = c.live.as_ref()?;
        let message = format!("{}: {why}", c.difference.message);
        let related = c.difference.related.iter().chain(&c.touching).cloned().collect();
        Some(Problem::new(Reason::LayoutChanged, &c.name, message).at(c.place.clone()).about(related).overridable())
    })
}

/// The named types whose layout differs in a unit that both builds have.
pub fn find(resolver: &Resolver<'_, '_>, pairs: &[Pair]) -> Types {
    let mut found: BTreeMap<String, Changed> = BTreeMap::new();
    let mut renamed: BTreeMap<(String, String), String> = BTreeMap::new();
    for pair in pairs {
        let old = pair.old.and_then(|i| resolver.old.facts(i));
        let new = pair.new.and_then(|i| resolver.new.facts(i));
        for changed in old.zip(new).into_iter().flat_map(|(old, new)| in_unit(*pair, old, new)) {
            found.entry(changed.name.clone()).or_insert(changed);
        }
        if let Some((old, new)) = old.zip(new) {
            for (name, words) in members_renamed(old, new) {
                renamed.entry((name, words)).or_insert_with(|| new.unit.name.clone());
            }
        }
    }
    let renamed = renamed.into_iter().map(|((name, words), unit)| (name, unit, words)).collect();
    let mut types = Types { list: found.into_values().collect(), needs_all: false, renamed };
    if types.list.is_empty() {
        return types;
    }
    let units: Vec<Nodes<'_, '_>> = resolver.old.units.iter().map(|f| Nodes::of(&f.module)).collect();
    for changed in &mut types.list {
        let reachability = |(facts, nodes): (&Facts<'_>, &Nodes<'_, '_>)| match changed.unnamed {
            Some(id) if Some(facts.index) == changed.pair.old => nodes.reach_of(id),
            Some(_) => Reachability::default(),
            None => nodes.reachability(&changed.name),
        };
        let reaches: Vec<Reachability> = resolver.old.units.iter().zip(&units).map(reachability).collect();
        let all: Vec<(&Nodes<'_, '_>, &Reachability)> = units.iter().zip(&reaches).collect();
        changed.live = match changed.unnamed {
            Some(_) => Some(values_live(&all).unwrap_or_else(|| String::from("objects of it may be kept anywhere"))),
            None if changed.difference.values => values_live(&all),
            None => objects_live(&all, &changed.name),
        };
        types.needs_all |= changed.live.is_none() && resolver.old.units.len() < resolver.old.build.units.len();
        for (nodes, reachability) in all {
            let variables = nodes.variables(reachability).into_iter().map(|(n, p)| (RelatedKind::Variable, n, Some(p)));
            let functions =
                nodes.functions(reachability, &changed.name).into_iter().map(|(n, p)| (RelatedKind::Function, n, p));
            changed
                .touching
                .extend(variables.chain(functions).map(|(kind, name, place)| Related::at(kind, name, place)));
        }
        changed.touching.sort_by(|a, b| (a.kind, &a.name, a.line).cmp(&(b.kind, &b.name, b.line)));
        changed.touching.dedup();
    }
    types
}

/// Types of a unit with members that have another name now, in words.
fn members_renamed(old: &Facts<'_>, new: &Facts<'_>) -> Vec<(String, String)> {
    let (before, after) = (Shapes::of(&old.module), Shapes::of(&new.module));
    let mut out = Vec::new();
    for (name, (shape, _)) in &after.named {
        let Some((earlier, _)) = before.named.get(name) else { continue };
        for (was, is) in shape::renamed(earlier, shape) {
            out.push((
                name.clone(),
                format!(
                    "member `{was}` of `{name}` is `{is}` now, at the same place: live objects keep what they hold"
                ),
            ));
        }
    }
    out
}

fn in_unit(pair: Pair, old: &Facts<'_>, new: &Facts<'_>) -> Vec<Changed> {
    let (before, after) = (Shapes::of(&old.module), Shapes::of(&new.module));
    let mut out = Vec::new();
    let named = after.named.iter().map(|(name, after)| (name, after, before.named.get(name), false));
    let unnamed = after.unnamed.iter().map(|(name, after)| (name, after, before.unnamed.get(name), true));
    for (name, (shape, id), earlier, is_unnamed) in named.chain(unnamed) {
        let Some((earlier, was)) = earlier else { continue };
        let Some(difference) = difference(earlier, shape) else { continue };
        let node = new.module.debug_node(&format!("!{id}"));
        let place =
            node.map(|n| Place { file: new.module.file_of(&n), line: u32::try_from(n.number("line")).unwrap_or(0) });
        let (name, unit) = (name.clone(), new.unit.name.clone());
        let unnamed = is_unnamed.then_some(*was);
        out.push(Changed { name, unit, pair, place, difference, unnamed, live: None, touching: Vec::new() });
    }
    out
}

/// A value of an enumeration is a number, which may be kept wherever the type is.
fn values_live(units: &[(&Nodes<'_, '_>, &Reachability)]) -> Option<String> {
    units.iter().find_map(|(nodes, reachability)| {
        let variable = nodes.variables(reachability).into_iter().next();
        let held = || nodes.container(reachability);
        let pointed =
            || (reachability.types.len() > reachability.by_value.len()).then(|| "pointers lead to it".to_owned());
        let shown = |(name, place): (String, Place)| format!("`{name}`{} has it", at(Some(&place)));
        variable.or_else(held).map(shown).or_else(pointed)
    })
}

fn objects_live(units: &[(&Nodes<'_, '_>, &Reachability)], name: &str) -> Option<String> {
    for (nodes, reachability) in units {
        if let Some((variable, place)) = nodes.variables(reachability).into_iter().next() {
            return Some(format!("variable `{variable}`{} has it or leads to it", at(Some(&place))));
        }
        if let Some((container, place)) = nodes.container(reachability) {
            return Some(format!("type `{container}`{} holds it or leads to it", at(Some(&place))));
        }
        if nodes.is_cast_to(reachability) {
            return Some(String::from("pointers of another type are converted to it"));
        }
    }
    let program: BTreeSet<&str> =
        units.iter().flat_map(|(n, _)| &n.module.functions).filter(|f| is_defined(f)).map(|f| f.name).collect();
    let declared = units.iter().flat_map(|(nodes, reachability)| nodes.declared_with(reachability));
    if let Some(outside) = declared.into_iter().find(|f| !program.contains(f.as_str())) {
        return Some(format!("`{outside}`, which is not part of the program, takes it"));
    }
    for (nodes, reachability) in units {
        for function in nodes.module.functions.iter().filter(|f| is_defined(f)) {
            let declared = nodes.subprogram(function).map(|s| nodes.signature(s)).unwrap_or_default();
            let result = declared.first().copied().flatten();
            if result.is_some_and(|t| reachability.types.contains(&t) && !reachability.by_value.contains(&t)) {
                let place = nodes.module.place_of_function(function);
                return Some(format!("`{}`{} returns a pointer to it", unescape(function.name), at(place.as_ref())));
            }
        }
    }
    let takers: Vec<Takers> = units.iter().map(|(nodes, reachability)| takers(nodes, reachability)).collect();
    for (nodes, reachability) in units {
        let own: BTreeSet<&str> = nodes.module.functions.iter().filter(|f| is_defined(f)).map(|f| f.name).collect();
        // A name means the unit's own function first.
        let visible = takers.iter().zip(units).flat_map(|(t, (n, _))| {
            let here = std::ptr::eq(n.module, nodes.module);
            t.iter()
                .filter(move |(name, _)| here || is_global(n, name))
                .filter(move |(name, _)| here || !own_has(nodes, name))
        });
        let visible: Takers = visible.map(|(name, which)| (name.clone(), which.clone())).collect();
        let in_program = |callee: &str| own.contains(callee) || program.contains(callee);
        // Most units of a large program know nothing of the type.
        let shapes = (!reachability.types.is_empty()).then(|| Shapes::of(nodes.module));
        let arrays = shapes.and_then(|shapes| Some(shapes.named.get(name)?.0.byte_arrays())).unwrap_or_default();
        for function in nodes.module.functions.iter().filter(|f| is_defined(f)) {
            if let Some((what, place)) =
                EscapeAnalysis::lost(nodes, reachability, name, &visible, &in_program, &arrays, function)
            {
                let place = place.or_else(|| nodes.module.place_of_function(function));
                return Some(format!("in `{}` {what}{}", unescape(function.name), at(place.as_ref())));
            }
        }
    }
    None
}

fn own_has(nodes: &Nodes<'_, '_>, name: &str) -> bool {
    nodes.module.function_named(name).is_some_and(is_defined)
}

fn is_global(nodes: &Nodes<'_, '_>, name: &str) -> bool {
    nodes.module.function_named(name).is_some_and(|f| !matches!(f.linkage, "internal" | "private"))
}

/// Functions of a unit that are declared to take or return the type.
fn takers(nodes: &Nodes<'_, '_>, reachability: &Reachability) -> Takers {
    let mut out = Takers::new();
    for function in nodes.module.functions.iter().filter(|f| is_defined(f)) {
        let declared = nodes.subprogram(function).map(|s| nodes.signature(s)).unwrap_or_default();
        if declared.into_iter().flatten().any(|t| reachability.types.contains(&t)) {
            out.insert(function.name.to_owned(), EscapeAnalysis::parameters(nodes, reachability, function));
        }
    }
    out
}

fn at(place: Option<&Place>) -> String {
    place.filter(|p| p.line != 0).map_or_else(String::new, |p| format!(" ({}:{})", p.file, p.line))
}

impl Types {
    /// Enters them into the change set, and functions that take one of the harmless ones as if their signature had
    /// changed: what calls them with an object of the old layout keeps calling the old ones.
    pub fn enter(&self, resolver: &Resolver<'_, '_>, pairs: &[Pair], changes: &mut Changes) {
        for pair in pairs {
            let old = pair.old.and_then(|i| resolver.old.facts(i));
            let new = pair.new.and_then(|i| resolver.new.facts(i));
            let Some((old, new)) = old.zip(new) else { continue };
            let mut names = BTreeSet::new();
            for changed in self.list.iter().filter(|c| c.live.is_none() && !c.difference.values) {
                for facts in [old, new] {
                    let nodes = Nodes::of(&facts.module);
                    names.extend(takers(&nodes, &nodes.reachability(&changed.name)).into_keys());
                }
            }
            for name in names {
                let both = [old, new].iter().all(|f| f.module.function_named(&name).is_some_and(is_defined));
                if both {
                    changes.list.retain(|c| !(c.function && c.symbol == name && c.pair == *pair));
                    changes.list.push(taker(new, *pair, name));
                }
            }
        }
        changes.list.extend(self.list.iter().map(Changed::change));
        changes.list.sort_by(|a, b| (&a.unit, &a.name, a.kind).cmp(&(&b.unit, &b.name, b.kind)));
    }
}

fn taker(facts: &Facts<'_>, pair: Pair, symbol: String) -> Change {
    let place = facts.module.function_named(&symbol).and_then(|f| facts.module.place_of_function(f));
    let (unit, name) = (facts.unit.name.clone(), unescape(&symbol));
    Change { unit, name, kind: ChangeKind::Signature, place, symbol, function: true, pair }
}

impl Changed {
    /// As an entry of the change set.
    fn change(&self) -> Change {
        Change {
            unit: self.unit.clone(),
            symbol: self.name.clone(),
            name: self.name.clone(),
            kind: ChangeKind::Type,
            place: self.place.clone(),
            function: false,
            pair: self.pair,
        }
    }
}
