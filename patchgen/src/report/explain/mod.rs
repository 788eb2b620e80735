//! What was found, as a person and as a program reads it.

mod irdiff;
mod sources;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::check::consistency::Choice;
use crate::check::effects::Effect;
use crate::check::overrides::Accepted;
use crate::check::rules::Verdict;
use crate::compare::callgraph::{CallGraph, Stay, stay};
use crate::compare::closure::{Role, UpdateSet};
use crate::compare::diff::{Change, ChangeKind, Changes, MovedLines};
use crate::compare::fingerprint::signature::signature;
use crate::compare::resolve::{Definition, Resolver};
use crate::ir::debug::Place;
use crate::ir::lex::unescape;
use crate::problem::Problem;
use crate::report::picture::Picture;
use crate::report::source::SourcePair;
use dsu_pass::markers::OUTLINED_LOOP;

pub use irdiff::FunctionDiff;

/// A member of the update set, described.
#[derive(Debug, Clone, Serialize)]
pub struct MemberReport {
    /// Its unit.
    pub unit: String,
    /// Its name.
    pub function: String,
    /// Why it is in the patch.
    pub reason: String,
    /// Does the patch redirect the base's entry to it?
    pub redirected: bool,
    /// Signature in the base; none for a new function.
    pub old_signature: Option<String>,
    /// Signature in the patch.
    pub new_signature: String,
    /// Functions it calls or takes the address of.
    pub calls: Vec<String>,
    /// The version that runs has no way back to its caller: an invocation under way keeps it.
    pub never_returns: bool,
    /// Calls itself, directly or through others.
    pub recursive: bool,
    /// Source file.
    pub file: Option<String>,
    /// Line.
    pub line: Option<u32>,
    /// Where its source is.
    #[serde(skip)]
    pub sources: Vec<SourcePair>,
    /// Which definition it is.
    #[serde(skip)]
    pub definition: Definition,
}

impl MemberReport {
    /// When its change takes effect, where that is not with the next call.
    fn note(&self) -> Option<String> {
        if self.redirected { effect(&self.function) } else { None }
    }
}

/// When the change of a loop's body takes effect.
pub fn effect(function: &str) -> Option<String> {
    let outer = function.find(OUTLINED_LOOP).and_then(|at| function.get(..at))?;
    Some(format!("it takes effect with the next round of the loop in `{outer}`"))
}

/// The outcome of a comparison.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Apply, nothing to do, or refused.
    pub verdict: Verdict,
    /// What differs.
    pub changes: Vec<Change>,
    /// What the patch replaces or adds.
    pub update_set: Vec<MemberReport>,
    /// What stands in the way.
    pub refusals: Vec<Problem>,
    /// What stood in the way and was overridden.
    pub accepted: Vec<Accepted>,
    /// Functions that differ only in lines that they tell assertions and loggers.
    pub moved_lines: usize,
    /// Which these are.
    pub line_numbers: Vec<MovedLines>,
    /// What the patch does not do, or does in a way that could surprise.
    pub effects: Vec<Effect>,
    /// How threads get to the new versions, when a patch can be made.
    pub consistency: Option<Choice>,
    /// Reason -> functions that stay as they are, where all others are replaced by copies of themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<BTreeMap<String, usize>>,
    /// Who calls whom.
    pub call_graph: Picture,
    /// Diffs of the changed functions.
    #[serde(skip)]
    pub diffs: Vec<FunctionDiff>,
}

impl Report {
    /// Describes a comparison.
    pub fn new(
        resolver: &Resolver<'_, '_>,
        graph: &CallGraph,
        changes: &Changes,
        set: &UpdateSet,
        verdict: Verdict,
        refusals: Vec<Problem>,
    ) -> Self {
        let diffs = irdiff::diffs(resolver, changes);
        let inlined: BTreeMap<Definition, String> =
            diffs.iter().filter_map(|d| Some((d.definition.clone(), d.inlined.clone()?))).collect();
        let mut update_set = members(resolver, graph, set);
        for member in &mut update_set {
            let callee = inlined.get(&member.definition).map(String::as_str);
            member.sources = sources::of(resolver, &member.definition, callee);
            if let Some(callee) = inlined.get(&member.definition).filter(|_| member.reason == "its body changed") {
                member.reason = format!("the code inlined from `{callee}` changed");
            }
        }
        let changes_list = changes.list.clone();
        let call_graph = Picture::new(resolver, graph, set);
        Self {
            verdict,
            changes: changes_list,
            update_set,
            refusals,
            accepted: Vec::new(),
            moved_lines: changes.moved_lines.len(),
            line_numbers: changes.moved_lines.clone(),
            effects: Vec::new(),
            consistency: None,
            left_out: None,
            call_graph,
            diffs,
        }
    }

    /// A reason against the patch that showed late.
    pub fn refuse(&mut self, problem: Problem) {
        self.verdict = Verdict::Refused;
        self.refusals.push(problem);
    }

    /// The text a person reads; `ir` adds the diff of each changed function.
    pub fn text(&self, ir: bool, colour: bool) -> String {
        let mut out = String::new();
        for change in self.changes.iter().filter(|c| shown(c)) {
            let place = place_text(change.place.as_ref());
            let what = if change.function {
                "function"
            } else if change.kind == ChangeKind::Type {
                "type"
            } else {
                "variable"
            };
            out.push_str(&format!("{:<9} {what} {} in {}{place}\n", kind_text(change.kind), change.name, change.unit));
        }
        for (unit, callees, functions) in ignored(&self.line_numbers) {
            out.push_str(&format!("ignored   line numbers for {callees} in {unit}: {functions}\n"));
        }
        let members = if self.left_out.is_none() { self.update_set.as_slice() } else { &[] };
        for member in members {
            let verb = if member.redirected { "replace" } else { "add" };
            out.push_str(&format!("{verb:<9} {} of {}: {}\n", member.function, member.unit, member.reason));
            if let Some(note) = member.note() {
                out.push_str(&format!("          {note}\n"));
            }
        }
        if let Some(left_out) = &self.left_out {
            out.push_str(&format!("replace   {} functions by copies of themselves\n", self.update_set.len()));
            for (reason, count) in left_out {
                out.push_str(&format!("left out  {count}: {reason}\n"));
            }
        }
        for risk in &self.accepted {
            out.push_str(&format!("accepted  {}: {}, because {}\n", risk.subject, risk.message, risk.because));
        }
        for effect in &self.effects {
            out.push_str(&format!("effect    {}\n", effect.text()));
        }
        if let Some(choice) = &self.consistency {
            out.push_str(&format!("consistency {}\n", choice.text()));
        }
        if ir {
            for diff in &self.diffs {
                out.push_str(&diff.text(colour));
            }
        }
        out.push_str(match self.verdict {
            Verdict::Apply => "verdict   a patch can be made\n",
            Verdict::NoChange => "verdict   nothing that runs would change\n",
            Verdict::NoEffect => {
                "verdict   nothing of the change would ever run in a process that has begun its work\n"
            }
            Verdict::Refused => "verdict   refused\n",
        });
        out
    }
}

fn shown(change: &Change) -> bool {
    !(change.kind == ChangeKind::Added && change.name.starts_with("__const."))
}

/// Functions that are passed over for their line numbers: a unit, whom lines are told, and who tells them.
pub fn ignored(list: &[MovedLines]) -> Vec<(String, String, String)> {
    let mut groups: BTreeMap<(&str, &[String]), Vec<&str>> = BTreeMap::new();
    for moved in list {
        groups.entry((&moved.unit, &moved.callees)).or_default().push(&moved.function);
    }
    let quoted = |names: &[String]| names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" and ");
    let one = |((unit, callees), functions): ((&str, &[String]), Vec<&str>)| {
        (unit.to_owned(), quoted(callees), functions.join(", "))
    };
    groups.into_iter().map(one).collect()
}

fn kind_text(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Added => "added",
        ChangeKind::Removed => "removed",
        ChangeKind::Body => "body",
        ChangeKind::Signature => "signature",
        ChangeKind::Type => "type",
        ChangeKind::Global => "global",
    }
}

fn place_text(place: Option<&Place>) -> String {
    place.filter(|p| p.line != 0).map_or(String::new(), |p| format!(" ({}:{})", p.file, p.line))
}

fn members(resolver: &Resolver<'_, '_>, graph: &CallGraph, set: &UpdateSet) -> Vec<MemberReport> {
    let circles = graph.recursion();
    let mut out = Vec::new();
    for (definition, member) in &set.members {
        let Some(facts) = resolver.new.facts(definition.0) else { continue };
        let Some(function) = facts.module.function_named(&definition.1) else { continue };
        let place = facts.module.place_of_function(function);
        let old = resolver.old_unit(definition.0).and_then(|i| resolver.old.facts(i));
        let before = old.and_then(|f| f.module.function_named(facts.name_in(f, &definition.1)));
        let old = before.map(signature);
        let calls = graph.callees(definition).into_iter().map(|d| unescape(&d.1)).collect();
        let new_signature = signature(function);
        let redirected = matches!(member.role, Role::Redirect(_));
        out.push(MemberReport {
            unit: facts.unit.name.clone(),
            function: unescape(&definition.1),
            reason: member.reason.clone(),
            redirected,
            old_signature: old.or_else(|| redirected.then(|| new_signature.clone())),
            new_signature,
            calls,
            never_returns: redirected && before.and_then(stay).is_some_and(Stay::is_exempt),
            recursive: circles.iter().any(|c| c.contains(definition)),
            file: place.as_ref().map(|p| p.file.clone()),
            line: place.map(|p| p.line),
            sources: Vec::new(),
            definition: definition.clone(),
        });
    }
    out.sort_by(|a, b| (&a.unit, &a.function).cmp(&(&b.unit, &b.function)));
    out
}
