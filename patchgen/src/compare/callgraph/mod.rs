//! Who refers to whom, in the units that were read.

mod escape_analysis;
mod indirect;

use std::collections::HashMap;

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::Dfs;

use crate::compare::resolve::{Definition, Resolver};
use crate::ir::is_defined;
use crate::ir::lex::{Token, TokenKind, tokens};
use crate::ir::{Function, Module};
use dsu_pass::markers::MARKER;

pub use escape_analysis::address_never_escapes;
pub use indirect::Indirect;

/// How code uses a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Use {
    /// Calls it by name.
    Call,
    /// Anything else: its address is taken, or it is a variable.
    Address,
}

/// The names a piece of text uses, in order, without repetition.
pub fn uses(text: &str) -> Vec<(&str, Use)> {
    let mut out: Vec<(&str, Use)> = Vec::new();
    let mut seen: HashMap<(&str, Use), ()> = HashMap::new();
    let mut note = |name, kind| {
        if seen.insert((name, kind), ()).is_none() {
            out.push((name, kind));
        }
    };
    let mut before: Option<Token<'_>> = None;
    let mut calling = false;
    for token in tokens(text) {
        if let Some(name) = before.take() {
            let call = calling && token.is("(");
            note(name.name(), if call { Use::Call } else { Use::Address });
        }
        match token.kind {
            TokenKind::Newline => calling = false,
            TokenKind::Word if matches!(token.text, "call" | "invoke" | "callbr") => calling = true,
            TokenKind::Global => before = Some(token),
            _ => {}
        }
    }
    if let Some(name) = before {
        note(name.name(), Use::Address);
    }
    out
}

/// Calls between functions of the new build.
#[derive(Debug, Default)]
pub struct CallGraph {
    /// The graph; an edge goes from caller to callee.
    pub graph: DiGraph<Definition, Use>,
    nodes: HashMap<Definition, NodeIndex>,
    /// Calls through pointers, which are no edges of the graph.
    pub indirect: Indirect,
}

impl CallGraph {
    /// Of all functions that were read.
    pub fn build(resolver: &Resolver<'_, '_>) -> Self {
        let mut out = CallGraph::default();
        for facts in &resolver.new.units {
            for function in facts.module.functions.iter().filter(|f| is_defined(f)) {
                let definition = (facts.index, function.name.to_owned());
                if facts.is_overridden(function.name) && !resolver.is_in_program(&definition) {
                    continue;
                }
                let from = out.node(definition);
                for (name, kind) in uses(function.body.unwrap_or_default()) {
                    if is_function(&facts.module, name)
                        && let Some(definition) = resolver.definition(facts.index, name)
                    {
                        let to = out.node(definition);
                        out.graph.add_edge(from, to, kind);
                    }
                }
            }
        }
        out.indirect = Indirect::find(resolver, &out.graph);
        out
    }

    fn node(&mut self, definition: Definition) -> NodeIndex {
        *self.nodes.entry(definition).or_insert_with_key(|d| self.graph.add_node(d.clone()))
    }

    /// Functions that call this one by name.
    pub fn callers(&self, definition: &Definition) -> Vec<Definition> {
        let Some(node) = self.nodes.get(definition) else { return Vec::new() };
        let edges = self.graph.edges_directed(*node, petgraph::Direction::Incoming);
        use petgraph::visit::EdgeRef;
        let mut out: Vec<_> = edges.map(|e| self.graph[e.source()].clone()).collect();
        out.sort();
        out.dedup();
        out
    }

    /// Functions this one calls by name or takes the address of.
    pub fn callees(&self, definition: &Definition) -> Vec<Definition> {
        let Some(node) = self.nodes.get(definition) else { return Vec::new() };
        let mut out: Vec<_> = self.graph.neighbors(*node).map(|n| self.graph[n].clone()).collect();
        out.sort();
        out.dedup();
        out
    }

    /// Functions this one refers to, and how.
    pub fn uses_of(&self, definition: &Definition) -> Vec<(Definition, Use)> {
        use petgraph::visit::EdgeRef;
        let Some(node) = self.nodes.get(definition) else { return Vec::new() };
        self.graph.edges(*node).map(|e| (self.graph[e.target()].clone(), *e.weight())).collect()
    }

    /// Functions that this one can reach by calls and addresses it takes, itself included.
    pub fn reached(&self, definition: &Definition) -> Vec<Definition> {
        let Some(node) = self.nodes.get(definition) else { return Vec::new() };
        let mut walk = Dfs::new(&self.graph, *node);
        let mut out = Vec::new();
        while let Some(node) = walk.next(&self.graph) {
            out.push(self.graph[node].clone());
        }
        out.sort();
        out
    }

    /// Groups of functions that call each other in a circle.
    pub fn recursion(&self) -> Vec<Vec<Definition>> {
        let groups = tarjan_scc(&self.graph)
            .into_iter()
            .filter(|group| group.len() > 1 || group.first().is_some_and(|n| self.graph.contains_edge(*n, *n)));
        groups.map(|g| g.into_iter().map(|n| self.graph[n].clone()).collect()).collect()
    }
}

fn is_function(module: &Module<'_>, name: &str) -> bool {
    module.function_named(name).is_some_and(|f| !f.is_intrinsic())
}

/// Does a function contain no way back to its caller?
pub fn never_returns(body: &str) -> bool {
    !body.lines().any(|line| line.trim_start().starts_with("ret ") || line.contains("musttail"))
}

/// Why a frame of a function stays on its stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// It has no way back to its caller.
    NeverReturns,
    /// It is `main`, which is called once.
    Main,
    /// A thread begins in it, and waits for work in a loop of it.
    ThreadLoop,
    /// A thread waits for work in a loop of it.
    Loop,
}

impl Stay {
    /// Whether threads move in spite of such a frame: it is there as long as they live, and they would never move.
    pub fn is_exempt(self) -> bool {
        self != Self::Loop
    }
}

/// Whether a frame of this function stays where threads wait for work; none when it does not.
pub fn stay(function: &Function<'_>) -> Option<Stay> {
    let body = function.body?;
    let is_thread = indirect::kind(function) == "ptr (ptr)";
    match () {
        () if function.name == "main" => Some(Stay::Main),
        () if never_returns(body) => Some(Stay::NeverReturns),
        () if !marks_a_loop(body) => None,
        () if is_thread => Some(Stay::ThreadLoop),
        () => Some(Stay::Loop),
    }
}

/// Whether a quiescence point stands in a loop.
fn marks_a_loop(body: &str) -> bool {
    let call = format!("@{MARKER}(");
    let (mut label, mut marked) = ("", Vec::new());
    for line in body.lines() {
        if let Some((name, _)) = line.split_once(':').filter(|_| !line.starts_with([' ', ';', '\t'])) {
            label = name;
        } else if line.contains(&call) {
            marked.push(label);
        }
    }
    // The plugin puts points at heads of loops; a jump back to the block is what makes it one.
    marked.iter().any(|label| {
        let head = body.find(&format!("\n{label}:")).filter(|_| !label.is_empty());
        head.is_some_and(|at| body[at..].lines().skip(2).any(|line| jumps_to(line, label)))
    })
}

fn jumps_to(line: &str, label: &str) -> bool {
    let target = format!("label %{label}");
    line.match_indices(&target)
        .any(|(at, _)| !line[at + target.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '.' || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_told_from_an_address() {
        let body = "  %1 = call i32 @f(ptr @g, i32 1)\n  store ptr @h, ptr @x\n  %2 = call i32 %1(ptr @f)\n";
        let found = uses(body);
        assert!(found.contains(&("f", Use::Call)) && found.contains(&("f", Use::Address)));
        assert!(found.contains(&("g", Use::Address)) && found.contains(&("x", Use::Address)));
        assert!(!found.contains(&("g", Use::Call)));
    }

    #[test]
    fn a_loop_without_return_is_noticed() {
        assert!(never_returns("  br label %1\n"));
        assert!(!never_returns("  ret void\n"));
    }
}
