//! Second step: finds the loops in which threads wait for work, and marks them.
//!
//! A thread may move to a newer version at the head of its outermost loop, where a call of [`MARKER`] is
//! placed, and while it is blocked there, for which a pair of calls stands around the blocking call. What is placed
//! stays in the stored bitcode, so that a patch made of it has the same. The body of such a loop then becomes a
//! function of its own, for the next iteration to find its newest version.
//!
//! 1. [`list`]: what the programmer says.
//! 2. [`unit`]: who waits, who calls whom, where threads start; [`graph`], [`locks`], [`origin`]: within a function.
//! 3. [`find`], [`below`]: which of the waits are for work; [`blocking`] knows the functions.
//! 4. [`outline`]: bodies of loops.

mod below;
mod blocking;
mod find;
mod graph;
mod list;
mod locks;
mod origin;
mod outline;
mod unit;

use std::collections::{BTreeSet, HashSet};

use serde::Serialize;

use crate::llvm::{Module, Value};
use crate::markers::{IDLE, LOOP, MARKER};
use crate::options::Options;
use crate::survey::Survey;
use below::Below;
use find::{Kind, Placement};
pub use list::{List, PointsError};
pub use outline::Refusal;
use unit::{Start, Unit};

/// A surveyed module in which threads can move.
#[derive(Debug)]
pub struct Waited<'m> {
    /// The survey, with the functions that were made of loops.
    pub survey: Survey<'m>,
    /// What was placed.
    pub places: Vec<Place>,
    /// Loops whose body was made a function, and those where it was not.
    pub loops: Vec<LoopBody>,
    /// Functions in which threads start that have no place to move.
    pub nowhere: Vec<Nowhere>,
}

/// Something that was placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// `point`, `idle` or `loop`.
    pub kind: &'static str,
    /// Function that contains it, after inlining.
    pub function: String,
    /// The blocking function it stands around; empty for a point.
    pub callee: String,
    /// Source line, 0 when unknown.
    pub line: u32,
    /// Why it is one.
    pub why: String,
}

/// A loop that contains a point or an idle region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoopBody {
    /// Function that contains the loop.
    pub function: String,
    /// The function its body became; empty when it did not.
    pub body: String,
    /// Why it did not; empty when it did.
    pub refused: String,
}

/// A thread without a place to move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Nowhere {
    /// The function in which it starts.
    pub function: String,
    /// Who starts it.
    pub started: String,
}

/// Places points and idle regions in a surveyed module, and makes functions of the bodies of their loops.
pub fn place<'m>(mut survey: Survey<'m>, list: &List, options: &Options) -> Waited<'m> {
    let module = survey.module;
    for call in list.before.iter().filter(|name| *name != MARKER).flat_map(|name| module.calls_of(name)) {
        call.call_before(module.external_procedure(MARKER));
    }
    let left_alone: HashSet<Value<'m>> = survey.skipped.iter().map(|skipped| skipped.function).collect();
    let mut unit = Unit::of(module, &list.threads);
    for (function, body) in &mut unit.bodies {
        let name = function.name();
        for site in &mut body.calls {
            let callee = site.call.callee().map(Value::name).unwrap_or_default();
            site.wait = site.wait.filter(|_| !list.is_no_wait(&name, &callee));
        }
    }
    let without = unit.functions.iter().filter(|function| list.leaves_out(&function.name()));
    let without = without.chain(&left_alone).copied().collect();
    let placements = find::find(&unit, &without);
    let places = placements.iter().map(describe).collect();
    let nowhere = nowhere(module, &unit, &placements);
    drop(unit);
    for placement in &placements {
        let (copies, at) = placement.copied.as_ref().map_or_else(|| (Vec::new(), placement.at), Below::copy);
        mark(module, placement.kind, at);
        survey.updatable.extend(copies);
    }
    let loops = if options.outline_loops { outline::loops(module, &left_alone) } else { Vec::new() };
    survey.updatable.extend(loops.iter().filter_map(|(_, body)| body.as_ref().ok().copied()));
    let loops = loops.into_iter().map(|(function, body)| LoopBody {
        function,
        body: body.as_ref().map_or_else(|_| String::new(), |body| body.name()),
        refused: body.err().map_or_else(String::new, |refusal| refusal.to_string()),
    });
    Waited { survey, places, loops: loops.collect(), nowhere }
}

fn describe(placement: &Placement<'_>) -> Place {
    let kind = match placement.kind {
        Kind::Point => "point",
        Kind::Idle => "idle",
        Kind::Library => "loop",
    };
    let around = if placement.kind == Kind::Point { None } else { placement.at.callee() };
    Place {
        kind,
        function: placement.function.name() + if placement.copied.is_some() { ".dsu_wait" } else { "" },
        callee: around.map(Value::name).unwrap_or_default(),
        line: placement.at.line(),
        why: placement.why.clone(),
    }
}

fn mark<'m>(module: &'m Module<'_>, kind: Kind, at: Value<'m>) {
    let names = match kind {
        Kind::Point => {
            at.call_before(module.external_procedure(MARKER));
            return;
        }
        Kind::Idle => IDLE,
        Kind::Library => LOOP,
    };
    let [begin, end] = names.map(|name| module.external_procedure(name));
    for place in at.places_behind() {
        place.call_before(end);
    }
    at.call_before(begin);
}

/// The functions in which threads start and neither they nor what they call have a place.
fn nowhere(module: &Module<'_>, unit: &Unit<'_>, placements: &[Placement<'_>]) -> Vec<Nowhere> {
    let mut placed: BTreeSet<String> = placements.iter().map(|placement| placement.root.name()).collect();
    placed.extend([MARKER, IDLE[0]].iter().flat_map(|name| module.calls_of(name)).map(|call| call.caller().name()));
    let reaches = |start: Value<'_>| {
        let (mut seen, mut open) = (HashSet::new(), vec![start]);
        while let Some(function) = open.pop() {
            if placed.contains(&function.name()) {
                return true;
            }
            let calls = unit.bodies.get(&function).into_iter().flat_map(|body| &body.calls);
            open.extend(calls.filter_map(|site| site.call.callee()).filter(|&callee| seen.insert(callee)));
        }
        false
    };
    let nowhere = unit.starts.iter().filter_map(|(function, start)| {
        let started = match start {
            Start::Main => "the program starts in it".to_owned(),
            Start::Created(by) => format!("`{by}` starts a thread in it"),
            Start::Listed => "the list says a thread starts in it".to_owned(),
            Start::Likely => return None,
        };
        (!reaches(*function)).then(|| Nowhere { function: function.name(), started })
    });
    nowhere.collect()
}
