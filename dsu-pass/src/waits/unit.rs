//! What the search needs to know about a module: who waits, who calls whom, where threads start.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::blocking::{self, Wait};
use super::graph::Graph;
use super::locks::Locks;
use super::origin;
use crate::llvm::{Module, Value};

/// A function in which, or below which, something waits; or in which a thread starts.
#[derive(Debug)]
pub(super) struct Body<'m> {
    pub(super) graph: Graph<'m>,
    pub(super) locks: Locks<'m>,
    pub(super) calls: Vec<Site<'m>>,
}

/// A call that can be reached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'m> {
    pub(super) call: Value<'m>,
    pub(super) block: usize,
    /// What it waits for, if it is a blocking function's.
    pub(super) wait: Option<Wait>,
}

impl<'m> Body<'m> {
    fn of(function: Value<'m>) -> Self {
        let graph = Graph::of(function);
        let in_block = |(block, at): (usize, &crate::llvm::Block<'m>)| {
            let calls = at.instructions().filter(|instruction| instruction.callee().is_some());
            calls.map(move |call| Site { call, block, wait: blocking::wait(call) }).collect::<Vec<_>>()
        };
        let calls = graph.blocks.iter().enumerate().flat_map(in_block).collect();
        Self { locks: Locks::of(&graph), graph, calls }
    }

    pub(super) fn calls_in(&self, loop_number: usize) -> impl Iterator<Item = &Site<'m>> {
        self.calls.iter().filter(move |site| self.graph.loops[loop_number].blocks.contains(&site.block))
    }

    /// Whether a loop does nothing but wait.
    pub(super) fn is_only_waiting(&self, loop_number: usize) -> bool {
        self.calls_in(loop_number).all(|site| blocking::is_beside(site.call))
    }

    /// Whether each loop around the block, up to `within` or all of them, does nothing but wait.
    pub(super) fn is_once(&self, block: usize, within: Option<usize>) -> bool {
        let inner = self.graph.around(block).into_iter().take_while(|&at| Some(at) != within);
        inner.into_iter().all(|at| self.is_only_waiting(at))
    }

    pub(super) fn held(&self, instruction: Value<'m>, but: Option<Value<'m>>) -> bool {
        self.locks.held(&self.graph, instruction, but)
    }
}

/// Why threads are thought to run a function's outermost loop as their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    /// It is `main`.
    Main,
    /// A call in this function starts a thread in it.
    Created(String),
    /// The list of points says so.
    Listed,
    /// It looks like a thread's main function, its address is taken, and nobody calls it.
    Likely,
}

/// The module as the search sees it.
#[derive(Debug)]
pub(super) struct Unit<'m> {
    /// In module order.
    pub(super) functions: Vec<Value<'m>>,
    pub(super) bodies: HashMap<Value<'m>, Body<'m>>,
    pub(super) starts: Vec<(Value<'m>, Start)>,
}

impl<'m> Unit<'m> {
    pub(super) fn of(module: &'m Module<'_>, listed: &BTreeSet<String>) -> Self {
        let starts = starts(module, listed);
        let mut waiting: HashSet<Value<'m>> = HashSet::new();
        let mut open: Vec<Value<'m>> = blocking::names().filter_map(|name| module.function(name)).collect();
        open.retain(|function| function.is_declaration());
        while let Some(callee) = open.pop() {
            open.extend(callers(callee).into_iter().map(|(caller, _)| caller).filter(|&caller| waiting.insert(caller)));
        }
        waiting.extend(starts.iter().map(|(function, _)| *function));
        let functions: Vec<_> = module
            .functions()
            .filter(|f| !f.is_declaration() && waiting.contains(f) && !f.blocks().is_empty())
            .collect();
        let bodies = functions.iter().map(|&function| (function, Body::of(function))).collect();
        Self { functions, bodies, starts }
    }

    pub(super) fn start(&self, function: Value<'m>) -> Option<&Start> {
        self.starts.iter().find(|(start, _)| *start == function).map(|(_, how)| how)
    }
}

/// The direct calls of a function: who calls, and the call.
pub(super) fn callers(function: Value<'_>) -> Vec<(Value<'_>, Value<'_>)> {
    let calls = function.users().filter(|user| user.callee() == Some(function));
    let mut calls: Vec<_> = calls.filter_map(|call| Some((call.block()?.function()?, call))).collect();
    // Lists of uses are in no useful order.
    calls.sort_by_cached_key(|(caller, call)| (caller.name(), call.line()));
    calls
}

/// What starts a thread, and the number of the argument that says where.
const CREATES: [(&str, usize); 6] = [
    ("pthread_create", 2),
    ("thrd_create", 1),
    ("uv_thread_create", 1),
    ("uv_thread_create_ex", 2),
    ("g_thread_new", 1),
    ("apr_thread_create", 2),
];

fn starts<'m>(module: &'m Module<'_>, listed: &BTreeSet<String>) -> Vec<(Value<'m>, Start)> {
    let mut created: HashMap<Value<'m>, String> = HashMap::new();
    for (name, place) in CREATES {
        let Some(create) = module.function(name).filter(|create| create.is_declaration()) else { continue };
        for (creator, call) in callers(create) {
            for function in handed_over(call, place, 3) {
                created.entry(function).or_insert_with(|| creator.name());
            }
        }
    }
    let start = |function: Value<'m>| {
        let name = function.name();
        if listed.contains(&name) {
            Some(Start::Listed)
        } else if name == "main" {
            Some(Start::Main)
        } else if let Some(creator) = created.get(&function) {
            Some(Start::Created(creator.clone()))
        } else {
            let likely = function.is_like_a_thread_main() && function.has_address_taken();
            (likely && callers(function).is_empty()).then_some(Start::Likely)
        }
    };
    let defined = module.functions().filter(|function| !function.is_declaration());
    defined.filter_map(|function| Some((function, start(function)?))).collect()
}

/// The functions that a call's argument may be; those a caller hands to the function that calls count too.
fn handed_over(call: Value<'_>, place: usize, depth: u32) -> Vec<Value<'_>> {
    let Some(&argument) = call.arguments().get(place) else { return Vec::new() };
    let mut found = Vec::new();
    for from in origin::of(argument) {
        if from.is_function() {
            found.push(from);
        } else if from.is_parameter() && depth > 0 {
            let Some(caller) = call.block().and_then(|block| block.function()) else { continue };
            let Some(index) = caller.parameters().iter().position(|&parameter| parameter == from) else { continue };
            found.extend(callers(caller).into_iter().flat_map(|(_, call)| handed_over(call, index, depth - 1)));
        }
    }
    found
}
