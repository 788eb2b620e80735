//! What to think of before a patch is applied, in sentences: each follows from something patchgen knows.

use serde_json::Value;

use crate::check::rules::Verdict;
use crate::compare::diff::ChangeKind;
use crate::report::explain::{MemberReport, Report};
use crate::report::picture::{EdgeKind, PatchPart};

/// At most so many names in a sentence.
const NAMES: usize = 6;

fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut names: Vec<String> = names.map(|n| format!("`{n}`")).collect();
    names.dedup();
    let more = names.len().saturating_sub(NAMES);
    names.truncate(NAMES);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

fn switches_by_thread(manifest: &Value) -> bool {
    manifest["consistency"] == "thread"
}

/// What could surprise somebody.
pub(super) fn risks(report: &Report, manifest: &Value) -> Vec<String> {
    let mut out = Vec::new();
    let set = &report.update_set;
    let replaced: Vec<&MemberReport> = set.iter().filter(|m| m.redirected).collect();
    if replaced.len() > 1 && !switches_by_thread(manifest) {
        out.push(format!(
            "{} functions switch one after the other, within microseconds: for that time, and in invocations already \
             under way, old and new ones may call each other.",
            replaced.len()
        ));
    }
    for effect in &report.effects {
        let (first, rest) = effect.message.split_at(effect.message.chars().next().map_or(0, char::len_utf8));
        out.push(format!("{}{rest}. Way out: {}.", first.to_uppercase(), effect.help));
    }
    for member in replaced.iter().filter(|m| m.recursive && switches_by_thread(manifest)) {
        out.push(format!(
            "`{}` takes part in a recursion. A call made by an old invocation of it may already be to the new one.",
            member.function
        ));
    }
    for node in
        report.call_graph.nodes.iter().filter(|n| n.part == PatchPart::Replaced && !n.address_taken_by.is_empty())
    {
        let address_holders = list(node.address_taken_by.iter().map(String::as_str));
        out.push(format!("`{}` is also called through pointers: its address is held by {address_holders}.", node.name));
    }
    for member in set.iter().filter(|m| m.old_signature.as_ref().is_some_and(|old| *old != m.new_signature)) {
        out.push(format!(
            "`{}` is called differently now. Old invocations of its callers go on calling the old one.",
            member.function
        ));
    }
    let fresh = report.changes.iter().filter(|c| !c.function && c.kind == ChangeKind::Added);
    let fresh = list(fresh.filter(|c| !c.name.starts_with("__const.")).map(|c| c.name.as_str()));
    if !fresh.is_empty() {
        out.push(format!("New variables start with their initial values, whatever happened before: {fresh}."));
    }
    if set.iter().any(|m| m.reason.starts_with("hook: ")) {
        out.push(String::from(
            "Hooks run on a thread of the runtime's while the program goes on: check what they lock, and what they wait for.",
        ));
    }
    out
}

/// What will happen to running threads.
pub(super) fn threads(report: &Report, manifest: &Value) -> Vec<String> {
    if report.verdict != Verdict::Apply {
        return vec![String::from("Nothing: there is no patch to apply.")];
    }
    let mut out = vec![String::from("None is stopped, signalled or made to wait.")];
    let replaced = report.update_set.iter().filter(|m| m.redirected).count();
    if switches_by_thread(manifest) {
        out.push(format!(
            "Each thread moves by itself at its next quiescence point, to all {replaced} functions at once. Until then it \
             runs the old ones; a thread blocked in an idle region counts as moved."
        ));
        out.push(String::from(
            "During the transition, a call of a changed function costs a few instructions more; after it, one jump.",
        ));
    } else {
        out.push(format!(
            "Every call of the {replaced} functions that begins after the switch runs the new version. An invocation under \
             way finishes in the old one."
        ));
    }
    let stay: Vec<_> = report.update_set.iter().filter(|m| m.never_returns).map(|m| m.function.as_str()).collect();
    if !stay.is_empty() {
        out.push(format!("Threads inside {} do not pick the change up.", list(stay.into_iter())));
    }
    out.push(String::from(
        "A revert works the same way back. What new code has written to the program's data stays as it is.",
    ));
    out
}

/// What to try before the patch goes out.
pub(super) fn tests(report: &Report) -> Vec<String> {
    let mut out = Vec::new();
    let graph = &report.call_graph;
    for member in report.update_set.iter().filter(|m| m.redirected) {
        let place = match (&member.file, member.line) {
            (Some(file), Some(line)) => format!(" ({file}:{line})"),
            _ => String::new(),
        };
        let here = graph.nodes.iter().position(|n| n.name == member.function && n.unit == member.unit);
        let from = |kinds: &[EdgeKind]| {
            let edges = graph.edges.iter().filter(|e| Some(e.to) == here && Some(e.from) != here);
            list(edges.filter(|e| kinds.contains(&e.kind)).map(|e| graph.nodes[e.from].name.as_str()))
        };
        let (direct, indirect) = (from(&[EdgeKind::Direct]), from(&[EdgeKind::Indirect, EdgeKind::Address]));
        let mut ways = Vec::new();
        if !direct.is_empty() {
            ways.push(format!("called by {direct}"));
        }
        if !indirect.is_empty() {
            ways.push(format!("through pointers, perhaps by {indirect}"));
        }
        let ways = if ways.is_empty() { String::new() } else { format!(", {}", ways.join("; ")) };
        out.push(format!("Exercise `{}`{place}{ways}.", member.function));
    }
    for risk in &report.accepted {
        out.push(format!("Exercise what touches `{}`: only \"{}\" says that it is safe.", risk.subject, risk.because));
    }
    if report.verdict == Verdict::Apply {
        out.push(String::from(
            "Apply it to a loaded process, compare with a fresh start of the new build, and revert.",
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        assert_eq!(list(names.into_iter()), "`a`, `b`, `c`, `d`, `e`, `f`, 2 more");
        assert_eq!(list([].into_iter()), "");
    }
}
