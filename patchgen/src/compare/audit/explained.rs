//! What the comparison of IR found: the places, in both builds, whose bytes may differ.

use std::collections::HashSet;

use super::Subject;
use super::side::Side;
use crate::build::Build;
use crate::compare::closure::Role;
use crate::compare::diff::ChangeKind;
use crate::ir::lex::unescape;

/// Addresses of functions and variables that are replaced, or that are known to differ.
#[derive(Debug, Default)]
pub(super) struct Explained {
    old: HashSet<u64>,
    new: HashSet<u64>,
}

impl Explained {
    pub(super) fn new(subject: &Subject<'_>) -> Self {
        let mut out = Self::default();
        let in_new = |unit: Option<usize>, symbol: &str| {
            let name = unit.map(|unit| (unit, unescape(symbol)));
            let name = name.and_then(|name| subject.counterparts.in_program.get(&name));
            places(subject.new, unit, name.map_or(symbol, String::as_str))
        };
        for ((unit, symbol), member) in &subject.set.members {
            out.new.extend(in_new(Some(*unit), symbol));
            if let Role::Redirect(base) = &member.role {
                out.old.insert(base.value);
            }
        }
        // Who uses the base's content of a constant without a name of its own is in the update set too.
        for (unit, symbol) in &subject.set.data {
            out.new.extend(in_new(Some(*unit), symbol));
            let before = subject.pairs.iter().find(|p| p.new == Some(*unit)).and_then(|p| p.old);
            out.old.extend(places(subject.old, before, symbol));
        }
        for change in &subject.changes.list {
            // The base's version of a changed body is explained by what replaces it, not by its name.
            let replaced = change.function && change.kind == ChangeKind::Body;
            if !replaced {
                out.old.extend(places(subject.old, change.pair.old, &change.symbol));
                out.new.extend(in_new(change.pair.new, &change.symbol));
            }
        }
        // What has another name in each build is the same by what the comparison of IR leaves out of it: numbers of the
        // compiler and of lines.
        for (index, old, new) in subject.counterparts.names.iter().filter(|(_, old, new)| old != new) {
            let pair = subject.pairs.get(*index);
            out.old.extend(places(subject.old, pair.and_then(|p| p.old), old));
            out.new.extend(places(subject.new, pair.and_then(|p| p.new), new));
        }
        for (pair, symbol) in &subject.changes.lines {
            out.old.extend(places(subject.old, pair.old, symbol));
            out.new.extend(in_new(pair.new, symbol));
        }
        out
    }

    /// Nothing runs a body that another definition took the place of.
    pub(super) fn add_never_run(&mut self, old: &Side<'_>, new: &Side<'_>) {
        for (side, places) in [(old, &mut self.old), (new, &mut self.new)] {
            places.extend(side.ranges.iter().filter(|range| range.is_overridden()).map(|range| range.start));
        }
    }

    /// May two counterparts differ?
    pub(super) fn is_pair(&self, old: u64, new: u64) -> bool {
        self.old.contains(&old) && self.new.contains(&new)
    }

    pub(super) fn is_old(&self, at: u64) -> bool {
        self.old.contains(&at)
    }

    pub(super) fn is_new(&self, at: u64) -> bool {
        self.new.contains(&at)
    }
}

/// Where a unit has something of this name.
fn places(build: &Build, unit: Option<usize>, symbol: &str) -> Vec<u64> {
    let name = unescape(symbol);
    let unit = unit.and_then(|index| build.units.get(index));
    let found = unit.into_iter().flat_map(|u| &u.symbols).filter(|s| s.name == name && s.is_present());
    found
        .map(|s| if s.is(dsu_abi::symbols::SymbolKind::Tls) { crate::build::image::TLS + s.address } else { s.address })
        .collect()
}
