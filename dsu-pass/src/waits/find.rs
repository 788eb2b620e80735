//! Decides where a thread waits for work. Bias: a place too few makes a thread move late, a place too many would let
//! it move in the middle of its work; so what is not plainly right is left out.

use std::collections::{BTreeSet, HashSet};

use super::below::{self, Below};
use super::blocking::{self, Wait};
use super::locks;
use super::origin;
use super::unit::{Body, Site, Start, Unit, callers};
use crate::llvm::{Linkage, Value};

/// Something to be placed.
#[derive(Debug, Clone)]
pub(super) struct Placement<'m> {
    pub(super) kind: Kind,
    /// The instruction to place it before, or the call to place it around.
    pub(super) at: Value<'m>,
    pub(super) function: Value<'m>,
    /// The function whose outermost loop it is for.
    pub(super) root: Value<'m>,
    /// The way to the call, where others go it too: it is placed around the call of a copy.
    pub(super) copied: Option<Below<'m>>,
    pub(super) why: String,
}

/// What is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A quiescence point.
    Point,
    /// An idle region around a blocking call.
    Idle,
    /// Marks around a call of a library's event loop.
    Library,
}

/// How sure it is that a function's outermost loop is a thread's own.
#[derive(Debug, Clone)]
enum Standing {
    /// A thread starts in it, or in the only function that calls it, once. `input`: it was started for its argument.
    Root { input: bool, how: String },
    /// It looks like one in which a thread starts.
    Likely,
    /// Other units may call it, or start a thread in it if it looks so; nobody here calls it in a loop.
    Unknown { thread: bool },
}

impl Standing {
    fn allows(&self, wait: Wait) -> bool {
        match self {
            Self::Root { .. } => wait != Wait::Join,
            Self::Likely => wait <= Wait::Condition,
            Self::Unknown { thread } => {
                matches!(wait, Wait::Events | Wait::Accept) || (*thread && wait == Wait::Library)
            }
        }
    }

    fn is_root(&self) -> bool {
        matches!(self, Self::Root { .. })
    }

    fn words(&self) -> &str {
        match self {
            Self::Root { how, .. } => how,
            Self::Likely => "it looks like a thread's main function",
            Self::Unknown { .. } => "it is an event loop",
        }
    }
}

/// What is to be placed in the unit, in module order. `but`: functions to leave alone.
pub(super) fn find<'m>(unit: &Unit<'m>, but: &HashSet<Value<'m>>) -> Vec<Placement<'m>> {
    let mut placements: Vec<Placement<'m>> = Vec::new();
    for &function in unit.functions.iter().filter(|function| !but.contains(function)) {
        let Some(standing) = standing(unit, function, 4) else { continue };
        let mut search = Search { unit, but, function, body: &unit.bodies[&function], standing, found: Vec::new() };
        search.run();
        placements.extend(search.found.into_iter().filter(|new| !but.contains(&new.function)));
    }
    placements
}

fn standing<'m>(unit: &Unit<'m>, function: Value<'m>, depth: u32) -> Option<Standing> {
    let root = |input, how: String| Some(Standing::Root { input, how });
    match unit.start(function) {
        Some(Start::Main) => return root(false, "it is `main`".to_owned()),
        Some(Start::Created(by)) => return root(true, format!("`{by}` starts a thread in it")),
        Some(Start::Listed) => return root(true, "the list says a thread starts in it".to_owned()),
        Some(Start::Likely) => return Some(Standing::Likely),
        None => {}
    }
    let calls = callers(function);
    let outside_loops = |(caller, call): &(Value<'m>, Value<'m>)| {
        let graph = unit.bodies.get(caller).map(|body| &body.graph);
        graph.is_some_and(|graph| graph.number(*call).is_some_and(|block| graph.outermost(block).is_none()))
    };
    if !calls.iter().all(outside_loops) {
        return None;
    }
    let by: Vec<_> = calls.iter().map(|(caller, _)| *caller).collect();
    match function.linkage() {
        Linkage::AvailableExternally => None,
        linkage if !linkage.is_local() => {
            Some(Standing::Unknown { thread: function.is_like_a_thread_main() && calls.is_empty() })
        }
        _ if function.has_address_taken() || depth == 0 => None,
        _ => match (by.as_slice(), by.first().and_then(|&caller| standing(unit, caller, depth - 1))?) {
            ([caller], Standing::Root { input: _, how: _ }) => {
                root(false, format!("`{}`, where a thread starts, calls it once", caller.name()))
            }
            ([_], _) => Some(Standing::Unknown { thread: false }),
            _ => None,
        },
    }
}

struct Search<'u, 'm> {
    unit: &'u Unit<'m>,
    but: &'u HashSet<Value<'m>>,
    function: Value<'m>,
    body: &'u Body<'m>,
    standing: Standing,
    found: Vec<Placement<'m>>,
}

impl<'u, 'm> Search<'u, 'm> {
    fn run(&mut self) {
        let loops = &self.body.graph.loops;
        for number in (0..loops.len()).filter(|&number| loops[number].parent.is_none()) {
            self.outer_loop(number);
        }
        let calls: &'u [Site<'m>] = &self.body.calls;
        for site in calls {
            let outer = self.body.graph.outermost(site.block);
            match site.wait {
                Some(Wait::Library) if outer.is_none() && self.standing.allows(Wait::Library) => {
                    self.place(Kind::Library, site.call, "it runs a library's event loop");
                }
                Some(Wait::Join) if self.standing.is_root() && self.body.is_once(site.block, None) => {
                    self.bracket(site, "it waits for another thread's end");
                }
                _ => {}
            }
        }
    }

    /// The waits of a loop that are its own: not those of a loop in it that does work.
    fn own(&self, number: usize) -> Vec<&'u Site<'m>> {
        let allowed =
            |site: &&Site<'m>| site.wait.is_some_and(|wait| self.standing.allows(wait) && self.suits(site, wait));
        let body = self.body;
        body.calls_in(number).filter(allowed).filter(|site| body.is_once(site.block, Some(number))).collect()
    }

    /// Whether a thread may wait for work with this call.
    fn suits(&self, site: &Site<'m>, wait: Wait) -> bool {
        let input = matches!(self.standing, Standing::Root { input: true, .. });
        match wait {
            Wait::Input => blocking::is_input_of_work(site.call, input),
            Wait::Mutex => is_given_back_at_once(site.call),
            _ => !site.call.is_must_tail(),
        }
    }

    fn outer_loop(&mut self, number: usize) {
        let own = self.own(number);
        let first = own.iter().filter_map(|site| site.wait).min();
        if self.body.is_only_waiting(number) && first != Some(Wait::Library) {
            return self.loop_that_only_waits(number);
        }
        let Some(wait) = first else { return self.loop_that_waits_below(number) };
        let hands_out = || self.body.calls_in(number).any(|site| blocking::hands_out(site.call));
        if matches!(self.standing, Standing::Unknown { .. }) && wait != Wait::Library && !hands_out() {
            return;
        }
        if wait >= Wait::Signal && self.waits_later(number) {
            return;
        }
        let chosen: Vec<_> = own.into_iter().filter(|site| site.wait == Some(wait)).collect();
        self.point(number, chosen[0].call);
        for site in chosen {
            match wait {
                Wait::Library => self.place(Kind::Library, site.call, "it runs a library's event loop"),
                Wait::Input if !self.comes_first_or_last(number, site) => {}
                _ => self.bracket(site, "its outermost loop waits here for work"),
            }
        }
    }

    /// `for (;;) pause();`: nothing else goes on in the thread. A loop that ends waits for one thing once.
    fn loop_that_only_waits(&mut self, number: usize) {
        let body = self.body;
        let endless = !body.graph.loops[number].ends;
        for site in body.calls_in(number) {
            let alone = endless || blocking::is_long(site.call);
            let waits = site.wait.is_some_and(|wait| wait < Wait::Mutex);
            if self.standing.is_root() && alone && waits {
                self.bracket(site, "it does nothing but wait");
            }
        }
    }

    /// The loop calls a function of this unit that waits for it.
    fn loop_that_waits_below(&mut self, number: usize) {
        let mut waits = below::waits(self.unit, self.body, number);
        waits.retain(|below| self.counts(below, number));
        let Some(one) = waits.first() else { return };
        let (call, wait) = (one.site.call, one.wait());
        if wait >= Wait::Signal && self.waits_later(number) {
            return;
        }
        self.point(number, call);
        let places: BTreeSet<_> = waits.iter().map(|below| below.function().name()).collect();
        let alone = waits.len() == 1;
        for below in waits.into_iter().filter(|_| places.len() == 1) {
            let shared = !below.is_only_from(self.body, number);
            let copied = shared && alone && wait <= Wait::Accept && below.can_be_copied(self.but);
            if (!shared || copied) && !below.holds_lock(self.unit, self.body) {
                let root = self.function;
                let why =
                    format!("the outermost loop of `{}` waits here for work: {}", root.name(), self.standing.words());
                let (at, function) = (below.site.call, below.function());
                let copied = copied.then_some(below);
                self.found.push(Placement { kind: Kind::Idle, at, function, root, copied, why });
            }
        }
    }

    /// Whether a wait below is the loop's: only that of an event loop is, which hands out what it waited for, and that
    /// of a function whose only purpose is to wait in this loop.
    fn counts(&self, below: &Below<'m>, number: usize) -> bool {
        match below.wait() {
            Wait::Events | Wait::Accept => {
                below.hands_out(self.unit) || self.body.calls_in(number).any(|site| blocking::hands_out(site.call))
            }
            Wait::Signal | Wait::Queue | Wait::Condition => self.standing.is_root() && below.path.len() == 1,
            _ => false,
        }
    }

    /// Whether the thread waits again in a loop behind this one, which then is no more than a step on the way.
    fn waits_later(&self, number: usize) -> bool {
        let loops = &self.body.graph.loops;
        let later = |at: &usize| loops[*at].parent.is_none() && loops[*at].header > loops[number].header;
        let waits = |site: &Site<'m>| {
            let below = site.call.callee().is_some_and(|callee| self.unit.bodies.contains_key(&callee));
            below || site.wait.is_some_and(|wait| wait < Wait::Mutex)
        };
        (0..loops.len()).filter(later).any(|at| !self.body.is_only_waiting(at) && self.body.calls_in(at).any(waits))
    }

    /// Whether nothing of an iteration is done before this call, or nothing behind it: the compiler may have turned
    /// the loop around.
    fn comes_first_or_last(&self, number: usize, site: &Site<'m>) -> bool {
        let graph = &self.body.graph;
        let position = |of: &Site<'m>| self.body.calls.iter().position(|known| known.call == of.call);
        let precedes = |a: &Site<'m>, b: &Site<'m>| match a.block == b.block {
            true => position(a) < position(b),
            false => graph.dominates(a.block, b.block),
        };
        let work = || self.body.calls_in(number).filter(|other| !blocking::is_beside(other.call));
        work().all(|other| precedes(site, other)) || work().all(|other| precedes(other, site))
    }

    fn point(&mut self, number: usize, waits: Value<'m>) {
        let graph = &self.body.graph;
        let place = graph.blocks[graph.loops[number].header].first_place();
        let Some(place) = place.filter(|&place| !self.body.held(place, None)) else { return };
        let callee = waits.callee().map(|callee| callee.name()).unwrap_or_default();
        self.place(Kind::Point, place, &format!("its outermost loop waits in `{callee}`"));
    }

    fn bracket(&mut self, site: &Site<'m>, why: &str) {
        // A wait that takes or gives back its own mutex holds no other.
        let own = match site.wait {
            Some(Wait::Condition) => blocking::released(site.call),
            _ => None,
        };
        if !self.body.held(site.call, own) && !site.call.is_must_tail() {
            self.place(Kind::Idle, site.call, why);
        }
    }

    fn place(&mut self, kind: Kind, at: Value<'m>, why: &str) {
        let why = format!("{why}: {}", self.standing.words());
        self.found.push(Placement { kind, at, function: self.function, root: self.function, copied: None, why });
    }
}

/// `pthread_mutex_lock(m); pthread_mutex_unlock(m);`: the thread wants nothing of the mutex but to sleep on it.
fn is_given_back_at_once(lock: Value<'_>) -> bool {
    let Some((true, mutex)) = locks::operation(lock) else { return false };
    let mut next = lock.next();
    while let Some(instruction) = next {
        if let Some((takes, other)) = locks::operation(instruction) {
            return !takes && origin::same(mutex, other);
        }
        let silent = instruction.callee().is_some_and(|callee| blocking::is_silent(&callee.name()));
        if !(silent || origin::is_transparent(instruction)) {
            return false;
        }
        next = instruction.next();
    }
    false
}
