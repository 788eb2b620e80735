//! Makes a function of the body of a loop in which a thread waits for work. The loop itself, the point at its head and
//! where possible the blocking call stay where they are; what they call once in each iteration has a stub, so that
//! the next iteration runs its newest version even in a function that never returns.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use super::blocking;
use super::graph::Graph;
use crate::llvm::{self, Block, Module, Opcode, Value, ValueKind};
use crate::markers::{IDLE, LOOP, MARKER, OUTLINED_LOOP};

/// What LLVM appends to the function's name behind a dot of its own.
const SUFFIX: &str = OUTLINED_LOOP.split_at(1).1;

/// Why a loop's body stays where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// `setjmp` and its kind.
    ReturnsTwice(String),
    /// Addresses of labels.
    Labels,
    /// `va_start`.
    Variadic,
    /// Landing pads.
    Exceptions,
    /// `alloca` in the loop.
    GrowingFrame,
    /// `__builtin_frame_address` and its kind.
    OwnFrame(String),
    /// A coroutine, or inlined by force.
    Frame,
    /// Nothing in it that could be changed.
    NoWork,
    /// LLVM's own reasons.
    Llvm,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReturnsTwice(callee) => return write!(f, "the function calls `{callee}`, which may return twice"),
            Self::Labels => "the function uses addresses of labels",
            Self::Variadic => "the function reads arguments of a variable number",
            Self::Exceptions => "exceptions are caught, or objects destroyed, around calls in the loop",
            Self::GrowingFrame => "the loop allocates on the function's stack",
            Self::OwnFrame(callee) => return write!(f, "the function looks at its own frame (`{callee}`)"),
            Self::Frame => "the function has no frame of its own",
            Self::NoWork => "the loop does nothing but wait",
            Self::Llvm => "LLVM cannot take the loop's body out",
        })
    }
}

/// What became of each loop: the function it is in, and the new function or why there is none.
pub(super) type Outcome<'m> = (String, Result<Value<'m>, Refusal>);

/// Outlines the bodies of the outermost loops that contain a point or an idle region, but for functions `left_alone`.
pub(super) fn loops<'m>(module: &'m Module<'_>, left_alone: &HashSet<Value<'m>>) -> Vec<Outcome<'m>> {
    let names = [MARKER, IDLE[0], LOOP[0]];
    let marks = names.iter().filter_map(|name| module.function(name)).flat_map(super::unit::callers);
    let mut functions: BTreeMap<String, Value<'m>> = BTreeMap::new();
    functions.extend(marks.map(|(function, _)| (function.name(), function)));
    let mut outcomes = Vec::new();
    for (name, function) in functions.into_iter().filter(|(_, function)| !left_alone.contains(function)) {
        for header in marked_loops(function) {
            outcomes.push((name.clone(), outline_loop(function, header)));
        }
    }
    outcomes
}

fn is_mark(call: Value<'_>) -> bool {
    let name = call.callee().map(Value::name).unwrap_or_default();
    [MARKER, IDLE[0], IDLE[1], LOOP[0], LOOP[1]].contains(&name.as_str())
}

/// Headers of the outermost loops with a mark in them.
fn marked_loops(function: Value<'_>) -> Vec<Block<'_>> {
    let graph = Graph::of(function);
    let marked = |block: &usize| graph.blocks[*block].instructions().any(is_mark);
    let outer = graph.loops.iter().filter(|one| one.parent.is_none() && one.blocks.iter().any(marked));
    outer.map(|one| graph.blocks[one.header]).collect()
}

fn outline_loop<'m>(function: Value<'m>, header: Block<'m>) -> Result<Value<'m>, Refusal> {
    refuse(function)?;
    let graph = Graph::of(function);
    let number = loop_at(&graph, header).ok_or(Refusal::Llvm)?;
    let blocks = graph.loops[number].blocks.iter().map(|&block| graph.blocks[block]);
    blocks.flat_map(Block::instructions).try_for_each(refuse_in_loop)?;
    let first = entry(&graph, number).ok_or(Refusal::NoWork)?.split_before();

    let graph = Graph::of(function);
    let number = loop_at(&graph, header).ok_or(Refusal::Llvm)?;
    let at = graph.number(first.terminator().ok_or(Refusal::Llvm)?).ok_or(Refusal::Llvm)?;
    let inside = graph.loops[number].blocks.iter().filter(|&&block| block != at && graph.dominates(at, block));
    let region: Vec<_> = std::iter::once(first).chain(inside.map(|&block| graph.blocks[block])).collect();
    let body = llvm::outline(&region, SUFFIX).ok_or(Refusal::Llvm)?;
    body.set_attribute("noinline");
    Ok(body)
}

fn loop_at(graph: &Graph<'_>, header: Block<'_>) -> Option<usize> {
    graph.loops.iter().position(|one| graph.blocks[one.header] == header)
}

/// Reasons that lie in the function as a whole.
fn refuse(function: Value<'_>) -> Result<(), Refusal> {
    if function.has_attribute("alwaysinline") || function.has_attribute("presplitcoroutine") {
        return Err(Refusal::Frame);
    }
    if function.users().any(|user| user.kind() == ValueKind::LLVMBlockAddressValueKind) {
        return Err(Refusal::Labels);
    }
    for instruction in function.blocks().into_iter().flat_map(Block::instructions) {
        if instruction.opcode() == Some(Opcode::LLVMIndirectBr) {
            return Err(Refusal::Labels);
        }
        let Some(callee) = instruction.callee() else { continue };
        let name = callee.name();
        let own_frame = ["llvm.frameaddress", "llvm.returnaddress", "llvm.addressofreturnaddress", "llvm.localescape"];
        if callee.has_attribute("returns_twice") || name.contains("setjmp") || name == "vfork" {
            return Err(Refusal::ReturnsTwice(name));
        } else if name.starts_with("llvm.va_") {
            return Err(Refusal::Variadic);
        } else if own_frame.iter().any(|prefix| name.starts_with(prefix)) {
            return Err(Refusal::OwnFrame(name));
        }
    }
    Ok(())
}

/// Reasons that lie in an instruction of the loop.
fn refuse_in_loop(instruction: Value<'_>) -> Result<(), Refusal> {
    use Opcode::*;
    match instruction.opcode() {
        Some(LLVMInvoke | LLVMLandingPad | LLVMResume | LLVMCatchPad | LLVMCleanupPad | LLVMCatchSwitch) => {
            Err(Refusal::Exceptions)
        }
        Some(LLVMCallBr) => Err(Refusal::Labels),
        Some(LLVMAlloca) => Err(Refusal::GrowingFrame),
        _ if instruction.callee().is_some_and(|callee| callee.name().starts_with("llvm.stacksave")) => {
            Err(Refusal::GrowingFrame)
        }
        _ => Ok(()),
    }
}

/// The instruction with which the new function begins: everything that is work in the loop comes behind it. Behind the
/// waiting if that can be, else behind the point at the loop's head, else there.
fn entry<'m>(graph: &Graph<'m>, number: usize) -> Option<Value<'m>> {
    let one = &graph.loops[number];
    let calls: Vec<(usize, Value<'m>)> = one
        .blocks
        .iter()
        .flat_map(|&block| graph.blocks[block].instructions().map(move |instruction| (block, instruction)))
        .filter(|(_, instruction)| instruction.callee().is_some())
        .collect();
    let work: Vec<_> = calls.iter().filter(|(_, call)| !blocking::is_beside(*call)).copied().collect();
    let position = |call: Value<'m>| calls.iter().position(|known| known.1 == call);
    let direct = |block: usize| graph.around(block).first() == Some(&number);
    let before_work = |(block, call): &(usize, Value<'m>)| {
        let precedes = |(of, other): &(usize, Value<'m>)| match of == block {
            true => position(*call) < position(*other),
            false => graph.dominates(*block, *of),
        };
        direct(*block) && work.iter().all(precedes)
    };
    if work.is_empty() {
        return None;
    }
    let named = |wanted: [&'static str; 2]| {
        let is = move |call: Value<'m>| call.callee().is_some_and(|callee| wanted.contains(&callee.name().as_str()));
        calls.iter().rev().filter(move |(_, call)| is(*call)).find(|call| before_work(call)).map(|(_, call)| *call)
    };
    let behind_idle = named([IDLE[1], LOOP[1]]);
    let common = || common_entry(graph, number, &work);
    behind_idle
        .or_else(|| named([MARKER, MARKER]).filter(|_| common().is_none()))
        .map_or_else(|| common().or_else(|| graph.blocks[one.header].first_place()), |mark| mark.next())
}

/// The head of the last block that all work comes behind, if all waiting comes before it.
fn common_entry<'m>(graph: &Graph<'m>, number: usize, work: &[(usize, Value<'m>)]) -> Option<Value<'m>> {
    let one = &graph.loops[number];
    let above = |&block: &usize| work.iter().all(|(of, _)| graph.dominates(block, *of));
    let direct = |block: &usize| graph.around(*block).first() == Some(&number);
    let block = one.blocks.iter().copied().filter(above).rfind(direct)?;
    let marked = |&block: &usize| graph.blocks[block].instructions().any(is_mark);
    let behind = one.blocks.iter().filter(|&&other| graph.dominates(block, other));
    (behind.copied().all(|other| !marked(&other)) && block != one.header).then(|| graph.blocks[block].first_place())?
}
