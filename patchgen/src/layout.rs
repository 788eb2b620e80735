//! Types whose layout differs between two builds, from debug information.
//!
//! The rule is conservative. A changed type that anything can point at may live in the heap, in variables, or in
//! frames of running functions, where patch code would meet the old layout: refused. Only a type of which nothing
//! but local variables exist, and to which no pointer exists, is harmless: each invocation makes its own.

mod shape;

use std::collections::{BTreeMap, BTreeSet};

use crate::diff::{Change, ChangeKind};
use crate::ir::Module;
use crate::ir::debug::{Node, Place};
use crate::problem::{Problem, Reason};
use crate::program::{Facts, Pair};
use crate::resolve::Resolver;
use shape::{Shapes, difference};

/// A type that is laid out differently.
#[derive(Debug, Clone)]
pub struct Changed {
    name: String,
    unit: String,
    pair: Pair,
    message: String,
    place: Option<Place>,
    live: bool,
}

/// Why types that live data may have stand in the way.
pub(crate) fn problems(types: &[Changed]) -> impl Iterator<Item = Problem> {
    let live = types.iter().filter(|c| c.live);
    live.map(|c| Problem::new(Reason::LayoutChanged, &c.name, &c.message).at(c.place.clone()).acceptable())
}

impl Changed {
    /// As an entry of the change set.
    pub fn change(&self) -> Change {
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

/// The named types whose layout differs in a unit that both builds have.
pub fn find(resolver: &Resolver<'_, '_>, pairs: &[Pair]) -> Vec<Changed> {
    let mut out: BTreeMap<String, Changed> = BTreeMap::new();
    for pair in pairs {
        let old = pair.old.and_then(|i| resolver.old.facts(i));
        let new = pair.new.and_then(|i| resolver.new.facts(i));
        for changed in old.zip(new).into_iter().flat_map(|(old, new)| in_unit(*pair, old, new)) {
            let live = changed.live;
            out.entry(changed.name.clone()).or_insert(changed).live |= live;
        }
    }
    out.into_values().collect()
}

fn in_unit(pair: Pair, old: &Facts<'_>, new: &Facts<'_>) -> Vec<Changed> {
    let (before, after) = (Shapes::of(&old.module), Shapes::of(&new.module));
    let mut out = Vec::new();
    let mut live: Option<BTreeSet<usize>> = None;
    for (name, (shape, id)) in &after.named {
        let Some((earlier, old_id)) = before.named.get(name) else { continue };
        let Some(message) = difference(earlier, shape) else { continue };
        let node = new.module.debug_node(&format!("!{id}"));
        let place =
            node.map(|n| Place { file: new.module.file_of(&n), line: u32::try_from(n.number("line")).unwrap_or(0) });
        // What counts is who has the type in the running process: the old build.
        let lives = live.get_or_insert_with(|| reachable_by_data(&old.module));
        out.push(Changed {
            name: name.clone(),
            unit: new.unit.name.clone(),
            pair,
            message,
            place,
            live: lives.contains(old_id),
        });
    }
    out
}

/// Types that a variable has, or that a pointer points at, with all types inside them.
fn reachable_by_data(module: &Module<'_>) -> BTreeSet<usize> {
    let mut queue: Vec<usize> = Vec::new();
    for text in &module.metadata {
        let Some(node) = Node::parse(text) else { continue };
        let pointer = node.kind == "DIDerivedType" && node.get("tag") == Some("DW_TAG_pointer_type");
        let target = match node.kind {
            "DIGlobalVariable" => node.get("type"),
            _ if pointer => node.get("baseType"),
            _ => None,
        };
        queue.extend(target.and_then(shape::number));
    }
    let mut out = BTreeSet::new();
    while let Some(id) = queue.pop() {
        if !out.insert(id) {
            continue;
        }
        let Some(node) = module.debug_node(&format!("!{id}")) else { continue };
        // Pointers and functions were looked at by themselves; only what is inside by value follows.
        let by_value = node.kind == "DICompositeType"
            || (node.kind == "DIDerivedType" && node.get("tag") != Some("DW_TAG_pointer_type"));
        if by_value {
            queue.extend(node.get("baseType").and_then(shape::number));
            queue.extend(shape::elements(module, &node));
        }
    }
    out
}
