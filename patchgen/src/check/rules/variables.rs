//! Rules about variables that the optimiser keeps in another way in one of the builds: folded to their first value, split, or
//! in one piece.

use super::Case;
use crate::compare::fingerprint::{Inside, Named};
use crate::compare::side::Facts;
use crate::ir::Global;
use crate::ir::lex::unescape;
use crate::ir::variables::overlap;
use crate::problem::{Problem, Reason};

pub(super) fn check(case: &Case<'_, '_, '_>) -> Vec<Problem> {
    let mut out = Vec::new();
    for pair in case.pairs {
        let old = pair.old.and_then(|i| case.resolver.old.facts(i));
        let new = pair.new.and_then(|i| case.resolver.new.facts(i));
        let Some((old, new)) = old.zip(new) else { continue };
        out.extend(pieces(old, new));
        for before in old.names.variables().filter(|named| named.variable.is_kept()) {
            let after = new.names.variables().find(|named| named.stem == before.stem);
            out.extend(after.and_then(|after| folded(old, before, after)));
        }
    }
    out
}

/// A piece of a variable that new code cannot use where the base has it in one object.
fn pieces(old: &Facts<'_>, new: &Facts<'_>) -> Vec<Problem> {
    let problem = |(name, inside): (&str, &Inside)| {
        let why = inside.problem?;
        let shown = new.names.variable(name).map_or_else(|| unescape(name), |named| named.variable.name.clone());
        let place = old.module.global_named(&inside.whole).and_then(|g| old.module.place_of_global(g));
        let offset = inside.offset;
        let message = format!("is split in new code, whose piece at offset {offset} {why} in the running process");
        Some(Problem::new(Reason::DissolvedState, shown, message).at(place))
    };
    new.names.all_inside().filter_map(problem).collect()
}

/// What the base writes and new code reads, of which nothing is left there: nothing writes it any more, so the compiler took its
/// first value for it.
fn folded(old: &Facts<'_>, before: &Named, after: &Named) -> Option<Problem> {
    let is_folded = |bits: Option<(u64, u64)>| {
        let kept = after.variable.parts.iter().any(|part| !part.constant && overlap(part.bits, bits));
        !kept && after.variable.is_read(bits)
    };
    let part = before.variable.parts.iter().find(|part| !part.constant && is_folded(part.bits))?;
    let place = old.module.global_named(&part.name).and_then(|g| old.module.place_of_global(g));
    let which =
        part.bits.map_or(String::new(), |(offset, size)| format!(" ({} bytes at offset {})", size / 8, offset / 8));
    let message = format!(
        "has a value in the running process{which}, but new code does not write it, and the compiler took its first value for it"
    );
    Some(Problem::new(Reason::FoldedState, &before.variable.name, message).at(place).overridable())
}

/// How the base keeps a variable of which new code has an object that the base has not.
pub(super) fn lost(old: &Facts<'_>, new: &Facts<'_>, global: &Global<'_>) -> Option<&'static str> {
    let named = new.names.variable(global.name)?;
    let part = named.variable.parts.iter().find(|part| part.name == global.name)?;
    let before = &old.names.variables().find(|other| other.stem == named.stem)?.variable;
    if before.parts.iter().any(|p| overlap(p.bits, part.bits)) {
        return Some("is kept in other pieces by the running process");
    }
    before
        .is_written(part.bits)
        .then_some("existed in the old source, but the compiler had dissolved it, and its value with it")
}
