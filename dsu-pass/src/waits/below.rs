//! Waits in the functions that a loop calls.

use std::collections::HashSet;

use super::blocking::{self, Wait};
use super::unit::{Body, Site, Unit, callers};
use crate::llvm::{Block, Value, ValueKind};

/// Functions on the way from a loop to the call that waits: redis has two, `aeProcessEvents` and `aeApiPoll`.
const DEPTH: usize = 4;
/// Instructions of a function that is copied for a loop, at most.
const COPIED: usize = 2000;

/// A blocking call, and the way to it.
#[derive(Debug, Clone)]
pub(super) struct Below<'m> {
    /// The call in the function before, and the function that it calls; the loop's own call is the first.
    pub(super) path: Vec<(Value<'m>, Value<'m>)>,
    pub(super) site: Site<'m>,
}

/// The blocking calls below a loop that are made once in each iteration, or not at all.
pub(super) fn waits<'m>(unit: &Unit<'m>, body: &Body<'m>, number: usize) -> Vec<Below<'m>> {
    let mut found = Vec::new();
    for site in body.calls_in(number).filter(|site| body.is_once(site.block, Some(number))) {
        descend(unit, site, &mut Vec::new(), &mut found);
    }
    found
}

fn descend<'m>(unit: &Unit<'m>, from: &Site<'m>, path: &mut Vec<(Value<'m>, Value<'m>)>, found: &mut Vec<Below<'m>>) {
    let Some(callee) = from.call.callee() else { return };
    let Some(body) = unit.bodies.get(&callee) else { return };
    if path.len() == DEPTH || path.iter().any(|step| step.1 == callee) {
        return;
    }
    path.push((from.call, callee));
    for site in body.calls.iter().filter(|site| body.is_once(site.block, None)) {
        match site.wait {
            Some(_) if !site.call.is_must_tail() => found.push(Below { path: path.clone(), site: *site }),
            _ => descend(unit, site, path, found),
        }
    }
    path.pop();
}

impl<'m> Below<'m> {
    pub(super) fn wait(&self) -> Wait {
        self.site.wait.expect("found by what it waits for")
    }

    /// The function that contains the call.
    pub(super) fn function(&self) -> Value<'m> {
        self.path.last().expect("there is a function below the loop").1
    }

    pub(super) fn hands_out(&self, unit: &Unit<'m>) -> bool {
        self.path.iter().any(|step| unit.bodies[&step.1].calls.iter().any(|site| blocking::hands_out(site.call)))
    }

    /// Whether nobody but the loop gets to the call: the functions on the way are static, and called here only.
    pub(super) fn is_only_from(&self, body: &Body<'m>, number: usize) -> bool {
        let graph = &body.graph;
        let in_loop = |call| graph.number(call).is_some_and(|block| graph.loops[number].blocks.contains(&block));
        self.path.iter().enumerate().all(|(at, &(_, function))| {
            let before = at.checked_sub(1).map(|at| self.path[at].1);
            let from_here = |(caller, call): (Value<'m>, Value<'m>)| match before {
                Some(before) => caller == before,
                None => in_loop(call),
            };
            let hidden = function.linkage().is_local() && !function.has_address_taken();
            hidden && callers(function).into_iter().all(from_here)
        })
    }

    /// Whether the functions on the way can be had a second time, for the loop alone.
    pub(super) fn can_be_copied(&self, but: &HashSet<Value<'m>>) -> bool {
        self.path.iter().all(|&(_, function)| {
            let blocks = function.blocks();
            let size: usize = blocks.iter().map(|block| block.instructions().count()).sum();
            let labels = function.users().any(|user| user.kind() == ValueKind::LLVMBlockAddressValueKind);
            !labels && size <= COPIED && !but.contains(&function) && !function.has_attribute("presplitcoroutine")
        })
    }

    /// Copies the functions on the way for the loop alone. Gives the copies, and the blocking call in the last.
    pub(super) fn copy(&self) -> (Vec<Value<'m>>, Value<'m>) {
        let mut copies = Vec::new();
        let mut call = self.path.first().expect("there is a function below the loop").0;
        let then = self.path.iter().skip(1).map(|step| step.0).chain([self.site.call]);
        for ((_, function), then) in self.path.iter().zip(then) {
            let copy = function.copy("dsu_wait");
            call.call_instead(copy);
            let all = |of: Value<'m>| of.blocks().into_iter().flat_map(Block::instructions);
            let mut pairs = all(*function).zip(all(copy));
            call = pairs.find(|(original, _)| *original == then).expect("the way leads through the function").1;
            copies.push(copy);
        }
        (copies, call)
    }

    /// Whether a lock is held on the way, other than the one that waiting gives back.
    pub(super) fn holds_lock(&self, unit: &Unit<'m>, body: &Body<'m>) -> bool {
        let own = blocking::released(self.site.call);
        let mut caller = body;
        for &(call, function) in &self.path {
            if caller.held(call, None) {
                return true;
            }
            caller = &unit.bodies[&function];
        }
        caller.held(self.site.call, own)
    }
}
