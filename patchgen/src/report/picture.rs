//! The call graph around an update set, for the manifest, the report and Graphviz.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;
use serde::{Deserialize, Serialize};

use crate::compare::callgraph::{CallGraph, Use};
use crate::compare::closure::{Role, UpdateSet};
use crate::compare::resolve::{Definition, Resolver};
use crate::ir::lex::unescape;

/// Callers from outside the update set are shown up to this number.
const MOST_CALLERS: usize = 24;

/// What a function has to do with the patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The base's function is redirected.
    Replaced,
    /// Only the patch has it.
    Added,
    /// It stays as it is, and refers to one of the others.
    Caller,
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// What it has to do with the patch.
    pub part: Part,
    /// Number of the circle of calls it belongs to.
    pub recursion: Option<usize>,
    /// Who holds its address.
    pub address_taken_by: Vec<String>,
}

/// How one function leads to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Calls it by name.
    Direct,
    /// Takes its address.
    Address,
    /// Calls a pointer of its type.
    Indirect,
}

/// An arrow, by numbers of nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// Caller.
    pub from: usize,
    /// Callee.
    pub to: usize,
    /// How.
    pub kind: Kind,
}

/// The graph.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Functions: the update set, then callers of it.
    pub nodes: Vec<Node>,
    /// Arrows between them.
    pub edges: Vec<Edge>,
    /// Callers that are not shown.
    pub more_callers: usize,
}

impl Picture {
    /// The update set and who leads to it.
    pub fn new(resolver: &Resolver<'_, '_>, graph: &CallGraph, set: &UpdateSet) -> Self {
        let mut order: Vec<Definition> = set.members.keys().cloned().collect();
        let members: BTreeSet<Definition> = order.iter().cloned().collect();
        let mut callers: BTreeSet<Definition> = order.iter().flat_map(|d| graph.callers(d)).collect();
        callers.extend(order.iter().flat_map(|d| graph.indirect.callers(d)).cloned());
        callers.retain(|d| !members.contains(d));
        let more_callers = callers.len().saturating_sub(MOST_CALLERS);
        order.extend(callers.into_iter().take(MOST_CALLERS));
        let numbers: HashMap<&Definition, usize> = order.iter().enumerate().map(|(i, d)| (d, i)).collect();
        let edges = edges(graph, &order, &numbers);
        let circles = circles(order.len(), &edges);
        let node = |(number, definition): (usize, &Definition)| Node {
            name: unescape(&definition.1),
            unit: resolver.new.build.units[definition.0].name.clone(),
            part: match set.members.get(definition).map(|m| &m.role) {
                Some(Role::Redirect(_)) => Part::Replaced,
                Some(Role::New) => Part::Added,
                None => Part::Caller,
            },
            recursion: circles.get(&number).copied(),
            address_taken_by: graph.indirect.holders(definition).into_iter().map(str::to_owned).collect(),
        };
        let nodes = order.iter().enumerate().map(node).collect();
        Self { nodes, edges, more_callers }
    }

    /// In Graphviz' language.
    pub fn dot(&self) -> String {
        let quote = |s: &str| format!("\"{}\"", s.replace('\\', "\\\\").replace('"', "\\\""));
        let mut out = String::from("digraph patch {\n  rankdir=LR;\n  node [shape=box];\n");
        for (number, node) in self.nodes.iter().enumerate() {
            let style = match node.part {
                Part::Replaced => "filled",
                Part::Added => "dashed",
                Part::Caller => "dotted",
            };
            let circle = node.recursion.map_or(String::new(), |n| format!(", color=red, xlabel=\"circle {}\"", n + 1));
            let (name, unit) = (quote(&node.name), quote(&node.unit));
            out.push_str(&format!("  n{number} [label={name}, style={style}, tooltip={unit}{circle}];\n"));
        }
        for Edge { from, to, kind } in &self.edges {
            let style = match kind {
                Kind::Direct => "solid",
                Kind::Address => "dashed",
                Kind::Indirect => "dotted",
            };
            out.push_str(&format!("  n{from} -> n{to} [style={style}];\n"));
        }
        out.push_str("}\n");
        out
    }
}

fn edges(graph: &CallGraph, order: &[Definition], numbers: &HashMap<&Definition, usize>) -> Vec<Edge> {
    let mut found: BTreeMap<(usize, usize), Kind> = BTreeMap::new();
    for (from, definition) in order.iter().enumerate() {
        let mut note = |to: &Definition, kind: Kind| {
            if let Some(&to) = numbers.get(to) {
                let known = found.entry((from, to)).or_insert(kind);
                *known = kind.min(*known);
            }
        };
        for (to, kind) in graph.uses_of(definition) {
            note(&to, if kind == Use::Call { Kind::Direct } else { Kind::Address });
        }
        for to in graph.indirect.candidates(definition) {
            note(to, Kind::Indirect);
        }
    }
    found.into_iter().map(|((from, to), kind)| Edge { from, to, kind }).collect()
}

/// Nodes that can reach themselves by calls of either kind, with the number of their circle.
fn circles(nodes: usize, edges: &[Edge]) -> HashMap<usize, usize> {
    let calls = edges.iter().filter(|e| e.kind != Kind::Address);
    let mut graph: DiGraph<(), ()> = DiGraph::with_capacity(nodes, edges.len());
    let indexes: Vec<_> = (0..nodes).map(|_| graph.add_node(())).collect();
    for edge in calls {
        graph.add_edge(indexes[edge.from], indexes[edge.to], ());
    }
    let groups = tarjan_scc(&graph).into_iter();
    let groups = groups.filter(|g| g.len() > 1 || g.first().is_some_and(|n| graph.contains_edge(*n, *n)));
    groups.enumerate().flat_map(|(number, group)| group.into_iter().map(move |n| (n.index(), number))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: usize, to: usize, kind: Kind) -> Edge {
        Edge { from, to, kind }
    }

    #[test]
    fn circles_go_through_pointers_but_not_through_addresses() {
        let list =
            [edge(0, 1, Kind::Direct), edge(1, 0, Kind::Indirect), edge(2, 2, Kind::Direct), edge(3, 2, Kind::Address)];
        let found = circles(4, &list);
        assert_eq!(found.get(&0), found.get(&1));
        assert!(found.contains_key(&2) && !found.contains_key(&3));
        assert!(circles(2, &[edge(0, 1, Kind::Direct), edge(1, 0, Kind::Address)]).is_empty());
    }

    #[test]
    fn names_cannot_leave_their_quotes() {
        let node = Node {
            name: String::from("a\"]; b"),
            unit: String::from("x.c"),
            part: Part::Added,
            recursion: Some(0),
            address_taken_by: Vec::new(),
        };
        let picture = Picture { nodes: vec![node], edges: vec![edge(0, 0, Kind::Direct)], more_callers: 0 };
        assert!(picture.dot().contains("label=\"a\\\"]; b\""), "{}", picture.dot());
    }
}
