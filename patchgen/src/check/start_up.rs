//! Functions of the base that ran before the program began its work, and never run again: whoever waits for work has
//! left them behind. A change in one of them has no effect on a running process.
//!
//! From a function, its callers are followed upwards. It may run again where its address is taken, where other modules may
//! call it, or where a call stands behind (or in a loop with) a place where its caller waits. What remains is called by the
//! beginning of `main` and by constructors alone. Where `main` is not seen to wait, nothing is claimed.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::build::{Build, Unit};
use crate::compare::callgraph::{Use, never_returns, uses};
use crate::compare::side::parsed;
use crate::ir::lex::unescape;
use crate::ir::{Module, is_defined};
use crate::problem::Result;
use dsu_pass::markers::MARKER;

/// Calls in which a program waits, beside those that the plugin has found.
const WAITS: [&str; 33] = [
    "accept",
    "accept4",
    "clock_nanosleep",
    "cnd_wait",
    "epoll_pwait",
    "epoll_wait",
    "event_base_dispatch",
    "event_base_loop",
    "ev_run",
    "fgets",
    "g_main_loop_run",
    "getline",
    "mq_receive",
    "msgrcv",
    "nanosleep",
    "pause",
    "poll",
    "ppoll",
    "pselect",
    "pthread_cond_timedwait",
    "pthread_cond_wait",
    "pthread_join",
    "read",
    "recv",
    "recvfrom",
    "recvmsg",
    "select",
    "sem_wait",
    "sigsuspend",
    "sigwait",
    "sigwaitinfo",
    "sleep",
    "usleep",
];

/// A function by unit of the base and name.
type Node = (usize, String);

/// A basic block.
#[derive(Debug, Default)]
struct Block {
    /// Functions that are called, in order.
    calls: Vec<String>,
    next: Vec<usize>,
}

/// What matters of a function.
#[derive(Debug, Default)]
struct Body {
    blocks: Vec<Block>,
    /// Names that are used otherwise than by calling them.
    takes: HashSet<String>,
    /// It has a way back to its caller.
    returns: bool,
}

/// What matters of a unit.
#[derive(Debug, Default)]
struct Summary {
    bodies: HashMap<String, Body>,
    /// Names in variables, tables and aliases: whoever is among them may be called at any time.
    held: HashSet<String>,
}

/// Those of `functions` that never run again, by unit of the base and name.
///
/// # Errors
/// When a unit of the base cannot be read.
pub fn left_behind(build: &Build, functions: &[(usize, String)]) -> Result<BTreeSet<Node>> {
    let mut search = Search { build, read: BTreeMap::new(), may_wait: HashMap::new(), bitcode: HashMap::new() };
    let mut found = BTreeSet::new();
    // Other programs call a library at any time.
    if build.is_library() {
        return Ok(found);
    }
    for function in functions {
        if search.is_left_behind(function)? {
            found.insert(function.clone());
        }
    }
    Ok(found)
}

struct Search<'b> {
    build: &'b Build,
    read: BTreeMap<usize, Summary>,
    may_wait: HashMap<Node, bool>,
    bitcode: HashMap<usize, Vec<u8>>,
}

impl Search<'_> {
    fn is_left_behind(&mut self, start: &Node) -> Result<bool> {
        let Some(calls) = self.calls_from_the_beginning(start)? else { return Ok(false) };
        let mut begun = false;
        for ((unit, caller), callee) in calls {
            let waits = self.waits_in(unit, &caller)?;
            let unseen = caller == "main" && waits.work.is_empty();
            if unseen || waits.runs_later(&self.read[&unit].bodies[&caller], &callee) {
                return Ok(false);
            }
            begun |= caller == "main";
        }
        // Whoever waits is where the work is done.
        Ok(begun && !self.may_wait(start.0, &start.1)?)
    }

    /// The calls that lead to a function, each with its caller; `None` if it may be called in other ways.
    fn calls_from_the_beginning(&mut self, start: &Node) -> Result<Option<Vec<(Node, String)>>> {
        let mut open = vec![start.clone()];
        let mut seen: HashSet<Node> = open.iter().cloned().collect();
        let mut found = Vec::new();
        while let Some((unit, name)) = open.pop() {
            if name == "main" || self.build.exported.binary_search(&unescape(&name)).is_ok() {
                return Ok(None);
            }
            for user in self.users(unit, &name)? {
                let summary = self.summary(user)?;
                if summary.held.contains(&name) || summary.bodies.values().any(|body| body.takes.contains(&name)) {
                    return Ok(None);
                }
                let calls = |body: &Body| body.blocks.iter().any(|block| block.calls.contains(&name));
                for caller in summary.bodies.iter().filter(|(_, body)| calls(body)).map(|(caller, _)| caller) {
                    let node = (user, caller.clone());
                    if caller != "main" && seen.insert(node.clone()) {
                        open.push(node.clone());
                    }
                    found.push((node, name.clone()));
                }
            }
        }
        Ok(Some(found))
    }

    /// Units that may use a name: its own, and where others see it those in whose bitcode it stands.
    fn users(&mut self, unit: usize, name: &str) -> Result<Vec<usize>> {
        let plain = unescape(name);
        let is_global = self.build.units[unit].symbol(&plain).is_some_and(|symbol| symbol.is_global());
        if !is_global {
            return Ok(vec![unit]);
        }
        let finder = memchr::memmem::Finder::new(plain.as_bytes());
        let mut found = Vec::new();
        for (index, candidate) in self.build.units.iter().enumerate() {
            if finder.find(bitcode(&mut self.bitcode, index, candidate)?).is_some() {
                found.push(index);
            }
        }
        Ok(found)
    }

    fn summary(&mut self, unit: usize) -> Result<&Summary> {
        if !self.read.contains_key(&unit) {
            let summary = parsed(&self.build.units[unit], summarise)?;
            self.read.insert(unit, summary);
        }
        Ok(&self.read[&unit])
    }

    /// Where a function waits: in calls that are known to, and in those of functions that wait somewhere.
    fn waits_in(&mut self, unit: usize, name: &str) -> Result<Waits> {
        let calls: Vec<(usize, usize, String)> = self.summary(unit)?.bodies[name]
            .blocks
            .iter()
            .enumerate()
            .flat_map(|(at, block)| block.calls.iter().enumerate().map(move |(nth, name)| (at, nth, name.clone())))
            .collect();
        let own = self.build.units[unit].points.contains(&unescape(name));
        let (mut places, mut work) = (Vec::new(), Vec::new());
        for (at, nth, callee) in calls {
            let known = WAITS.contains(&callee.as_str()) || own && callee.starts_with("__dsu_");
            if known || self.may_wait(unit, &callee)? {
                places.push((at, nth));
                let body = &self.summary(unit)?.bodies[name];
                let again = reached(body, &body.blocks[at].next).contains(&at);
                if again || self.holds_a_work_loop(unit, &callee, &mut HashSet::new())? {
                    work.push((at, nth));
                }
            }
        }
        Ok(Waits { places, work })
    }

    /// Whether a function, or one that it calls by name, goes on for ever or has a quiescence point: it does the program's work.
    fn holds_a_work_loop(&mut self, unit: usize, name: &str, seen: &mut HashSet<Node>) -> Result<bool> {
        let Some(home) = self.home(unit, name).filter(|home| seen.insert((*home, name.to_owned()))) else {
            return Ok(false);
        };
        let Some(body) = self.summary(home)?.bodies.get(name) else { return Ok(false) };
        let callees: BTreeSet<String> = body.blocks.iter().flat_map(|block| &block.calls).cloned().collect();
        if !body.returns || callees.contains(MARKER) {
            return Ok(true);
        }
        for callee in &callees {
            if self.holds_a_work_loop(home, callee, seen)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The unit of the base in which a function is that a unit calls.
    fn home(&self, unit: usize, name: &str) -> Option<usize> {
        let plain = unescape(name);
        let units = &self.build.units;
        let is_here = units[unit].symbol(&plain).is_some();
        let elsewhere = || units.iter().position(|u| u.symbol(&plain).is_some_and(|s| s.is_global()));
        if is_here { Some(unit) } else { elsewhere() }
    }

    /// Whether a function, or one that it calls by name, waits.
    fn may_wait(&mut self, unit: usize, name: &str) -> Result<bool> {
        let plain = unescape(name);
        let home = self.home(unit, name);
        let Some(home) = home else { return Ok(false) };
        let node = (home, name.to_owned());
        if let Some(&known) = self.may_wait.get(&node) {
            return Ok(known);
        }
        // In a circle of calls, one of the others decides.
        self.may_wait.insert(node.clone(), false);
        let summary = self.summary(home)?;
        let Some(body) = summary.bodies.get(name) else { return Ok(false) };
        let callees: BTreeSet<String> = body.blocks.iter().flat_map(|block| &block.calls).cloned().collect();
        let mut waits =
            self.build.units[home].points.contains(&plain) || callees.iter().any(|c| WAITS.contains(&c.as_str()));
        for callee in &callees {
            waits = waits || self.may_wait(home, callee)?;
        }
        self.may_wait.insert(node, waits);
        Ok(waits)
    }
}

fn bitcode<'c>(cache: &'c mut HashMap<usize, Vec<u8>>, index: usize, unit: &Unit) -> Result<&'c [u8]> {
    Ok(match cache.entry(index) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(place) => place.insert(unit.bitcode()?),
    })
}

/// Places where a function waits: block, and number of the call in it.
struct Waits {
    places: Vec<(usize, usize)>,
    /// Those of them to which it comes again and again, or in which somebody does.
    work: Vec<(usize, usize)>,
}

impl Waits {
    /// Whether a call of `name` may follow a wait.
    fn runs_later(&self, body: &Body, name: &str) -> bool {
        let returns_twice = body.blocks.iter().flat_map(|block| &block.calls).any(|call| call.contains("setjmp"));
        let calls = |block: &Block, from: usize| block.calls.iter().skip(from).any(|call| call == name);
        if returns_twice && !self.places.is_empty() {
            return true;
        }
        if self.places.iter().any(|&(at, nth)| calls(&body.blocks[at], nth + 1)) {
            return true;
        }
        let later = reached(body, self.places.iter().flat_map(|&(at, _)| &body.blocks[at].next));
        let here = |at: usize| calls(&body.blocks[at], 0);
        // Where no wait follows, the work may be what follows.
        let waits = |at: usize| self.work.iter().any(|place| place.0 == at);
        let leads_to_wait = |at: usize| waits(at) || reached(body, &body.blocks[at].next).into_iter().any(waits);
        let is_waitless = |at: usize| !self.places.is_empty() && !leads_to_wait(at);
        later.into_iter().any(here) || (0..body.blocks.len()).any(|at| here(at) && is_waitless(at))
    }
}

/// Blocks that may run after these, and they themselves.
fn reached<'b>(body: &'b Body, from: impl IntoIterator<Item = &'b usize>) -> HashSet<usize> {
    let mut open: Vec<usize> = from.into_iter().copied().collect();
    let mut reached = HashSet::new();
    while let Some(at) = open.pop() {
        if reached.insert(at) {
            open.extend(body.blocks[at].next.iter().copied());
        }
    }
    reached
}

fn summarise(module: &Module<'_>) -> Summary {
    let mut summary = Summary::default();
    for global in
        module.globals.iter().filter(|g| !matches!(g.name, "llvm.global_ctors" | "llvm.used" | "llvm.compiler.used"))
    {
        summary.held.extend(uses(global.initialiser.unwrap_or_default()).into_iter().map(|(name, _)| name.to_owned()));
    }
    for alias in &module.aliases {
        summary.held.extend(uses(alias.text).into_iter().map(|(name, _)| name.to_owned()));
    }
    for function in module.functions.iter().filter(|f| is_defined(f)) {
        summary.bodies.insert(function.name.to_owned(), body(function.body.unwrap_or_default()));
        // A personality or a prologue's data.
        summary.held.extend(uses(function.after).into_iter().map(|(name, _)| name.to_owned()));
    }
    summary
}

/// Splits printed code into its blocks.
fn body(text: &str) -> Body {
    let mut out = Body { returns: !never_returns(text), ..Body::default() };
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let mut ways: Vec<Vec<String>> = vec![Vec::new()];
    out.blocks.push(Block::default());
    for line in text.lines() {
        if let Some(label) = label(line) {
            numbers.insert(label.to_owned(), out.blocks.len());
            out.blocks.push(Block::default());
            ways.push(Vec::new());
            continue;
        }
        let code = line.split(", !").next().unwrap_or_default();
        for (name, kind) in uses(code) {
            match kind {
                Use::Call => out.blocks.last_mut().into_iter().for_each(|block| block.calls.push(name.to_owned())),
                Use::Address => drop(out.takes.insert(name.to_owned())),
            }
        }
        let targets = code.split("label %").skip(1).map(|tail| {
            let end = tail.find([',', ' ', ']', ')']).unwrap_or(tail.len());
            tail[..end].trim_matches('"').to_owned()
        });
        ways.last_mut().into_iter().for_each(|ways| ways.extend(targets.clone()));
    }
    for (block, ways) in out.blocks.iter_mut().zip(ways) {
        block.next = ways.iter().filter_map(|way| numbers.get(way).copied()).collect();
    }
    out
}

/// `7:` and `"a b":` at the start of a line.
fn label(line: &str) -> Option<&str> {
    if line.starts_with([' ', '\t', ';', '}', ']']) {
        return None;
    }
    let (label, _) = line.split_once(':')?;
    (!label.is_empty()).then(|| label.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOP: &str = "  call void @before()\n  br label %1\n\n1:  ; preds = %1, %0\n  call void @work()\n  \
                        call i32 @poll(ptr null)\n  br i1 %c, label %1, label %2\n\n2:\n  call void @after()\n  ret void\n";

    #[test]
    fn what_stands_before_the_wait_does_not_run_later() {
        let body = body(LOOP);
        let waits = Waits { places: vec![(1, 1)], work: vec![(1, 1)] };
        assert_eq!(body.blocks.len(), 3);
        let later: Vec<bool> = ["before", "work", "after"].iter().map(|name| waits.runs_later(&body, name)).collect();
        assert_eq!(later, [false, true, true]);
    }

    #[test]
    fn what_no_wait_follows_may_be_the_work() {
        let body = body(
            "  call void @before()\n  br i1 %c, label %1, label %2\n\n1:\n  call i32 @pause()\n  unreachable\n\n\
             2:\n  call void @work()\n  ret void\n",
        );
        let waits = Waits { places: vec![(1, 0)], work: vec![(1, 0)] };
        assert_eq!(["before", "work"].map(|name| waits.runs_later(&body, name)), [false, true]);
    }

    #[test]
    fn a_frame_that_is_returned_to_by_longjmp_may_run_anything_again() {
        let body = body(&LOOP.replace("call void @before()\n", "call i32 @_setjmp(ptr %b)\n  call void @before()\n"));
        assert!(Waits { places: vec![(1, 1)], work: vec![(1, 1)] }.runs_later(&body, "before"));
    }

    #[test]
    fn an_address_is_not_a_call() {
        let body = body("  call void @register(ptr @callback), !dbg !7\n  ret void\n");
        assert!(body.takes.contains("callback") && !body.takes.contains("register"));
        assert_eq!(body.blocks[0].calls, ["register"]);
    }
}
