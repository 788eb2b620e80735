//! Units that only one build has: a removed source and a new one, unless they may be the same.

use super::Case;
use crate::build::pair::own_names;
use crate::compare::side::Facts;
use crate::ir::lex::unescape;
use crate::problem::{Problem, Reason};

pub(super) fn check(case: &Case<'_, '_, '_>) -> Vec<Problem> {
    let (old, new) = (case.resolver.old, case.resolver.new);
    let gone: Vec<usize> = case.pairs.iter().filter(|p| p.new.is_none()).filter_map(|p| p.old).collect();
    let come: Vec<usize> = case.pairs.iter().filter(|p| p.old.is_none()).filter_map(|p| p.new).collect();
    if gone.is_empty() || come.is_empty() {
        return Vec::new();
    }
    let (in_old, in_new) = (own_names(old.build), own_names(new.build));
    // A function or variable that other units can name is itself, wherever it is.
    let speaks =
        |o: usize, name: &str| name == "main" || old.build.units[o].symbol(name).is_some_and(|s| !s.is_global());
    let mut out = Vec::new();
    for n in come {
        let after = &new.build.units[n];
        let found = gone.iter().find_map(|&o| {
            let before = &old.build.units[o];
            let state = || shared_state(case, old.facts(o)?, new.facts(n)?);
            let name = in_old[o].intersection(in_new.get(n)?).find(|name| speaks(o, name));
            name.map(|name| format!("both define `{name}`")).or_else(state).map(|why| (before, why))
        });
        out.extend(found.map(|(before, why)| {
            let message = format!("may be `{}` of the base, but not for certain: {why}", before.name);
            Problem::new(Reason::UnpairedUnit, &after.name, message)
        }));
    }
    out
}

/// Static variables of one type, where new code starts with its own.
fn shared_state(case: &Case<'_, '_, '_>, old: &Facts<'_>, new: &Facts<'_>) -> Option<String> {
    let kept = |facts: &Facts<'_>| -> Vec<(String, String)> {
        let own =
            facts.module.globals.iter().filter(|g| g.linkage == "internal" && !g.constant && g.initialiser.is_some());
        own.map(|g| (g.name.to_owned(), facts.module.spelled_out(g.value_type))).collect()
    };
    let before = kept(old);
    kept(new).into_iter().filter(|(name, _)| case.set.data.contains(&(new.index, name.clone()))).find_map(
        |(name, kind)| {
            let (was, _) = before.iter().find(|(_, other)| *other == kind)?;
            Some(format!("`{}` could be `{}`, which has state", unescape(&name), unescape(was)))
        },
    )
}
