//! What differs between two builds.

mod line_callees;
mod lines;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

pub use lines::LineRule;

use crate::build::pair::Pair;
use crate::compare::fingerprint::signature::{self, signature};
use crate::compare::fingerprint::{Canon, without_unique};
use crate::compare::side::{Facts, Side};
use crate::ir::debug::Place;
use crate::ir::is_defined;
use crate::ir::lex::unescape;
use crate::ir::{Function, Global};

/// What happened to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// A function does something else.
    Body,
    /// A function is called differently.
    Signature,
    /// A type is laid out differently.
    Type,
    /// A variable, constant or alias differs.
    Global,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Unit it is in.
    pub unit: String,
    /// Its name, as the linker knows it.
    pub name: String,
    /// What happened.
    pub kind: ChangeKind,
    /// Where it stands in the source.
    #[serde(skip)]
    pub place: Option<Place>,
    /// Printed name in the module.
    #[serde(skip)]
    pub symbol: String,
    /// Function, rather than variable, type or alias.
    #[serde(skip)]
    pub function: bool,
    /// The units, in both builds.
    #[serde(skip)]
    pub pair: Pair,
}

/// A function that differs only in the lines that it tells assertions and loggers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MovedLines {
    /// Unit it is in.
    pub unit: String,
    /// Its name.
    pub function: String,
    /// Whom it tells its lines.
    pub callees: Vec<String>,
}

/// All differences.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// In unit and name order.
    pub list: Vec<Change>,
    /// The program has a definition in a unit that was not read in place of one that was.
    pub needs_all: bool,
    /// Functions that are not replaced because only lines differ that they tell others.
    pub moved_lines: Vec<MovedLines>,
    /// These functions: their units, and printed names.
    pub lines: Vec<(Pair, String)>,
}

impl Changes {
    /// Changes of one kind, functions only.
    pub fn functions(&self, kind: ChangeKind) -> impl Iterator<Item = &Change> {
        self.list.iter().filter(move |c| c.function && c.kind == kind)
    }
}

struct Differ<'d, 'a> {
    old: &'d Side<'a>,
    new: &'d Side<'a>,
    /// Global definitions of each side by printed name: the unit that has it.
    old_global: HashMap<&'a str, usize>,
    new_global: HashMap<&'a str, usize>,
    lines: &'d LineRule,
    out: Changes,
}

/// Compares two sides.
pub fn diff<'a>(old: &Side<'a>, new: &Side<'a>, pairs: &[Pair], lines: &LineRule) -> Changes {
    let mut differ = Differ {
        old,
        new,
        old_global: global_definitions(old),
        new_global: global_definitions(new),
        lines,
        out: Changes::default(),
    };
    for pair in pairs {
        let o = pair.old.and_then(|i| old.facts(i));
        let n = pair.new.and_then(|i| new.facts(i));
        if o.is_some() || n.is_some() {
            differ.functions(*pair, o, n);
            differ.globals(*pair, o, n);
            differ.aliases(*pair, o, n);
        }
    }
    let mut out = differ.out;
    out.moved_lines.sort();
    out.moved_lines.dedup();
    out.list.sort_by(|a, b| (&a.unit, &a.name, a.kind).cmp(&(&b.unit, &b.name, b.kind)));
    out.list.dedup_by(|a, b| (&a.unit, &a.name, a.kind) == (&b.unit, &b.name, b.kind));
    out
}

fn global_definitions<'a>(side: &Side<'a>) -> HashMap<&'a str, usize> {
    let mut out = HashMap::new();
    for facts in &side.units {
        let functions = facts.module.functions.iter().filter(|f| is_defined(f)).map(|f| (f.name, f.linkage));
        let globals = facts.module.globals.iter().filter(|g| g.initialiser.is_some()).map(|g| (g.name, g.linkage));
        for (name, linkage) in functions.chain(globals) {
            let local = matches!(linkage, "internal" | "private" | "appending" | "available_externally");
            if !local && !facts.is_overridden(name) {
                out.entry(name).or_insert(facts.index);
            }
        }
    }
    out
}

/// Handled by themselves, or of no consequence.
fn is_special(name: &str) -> bool {
    name.starts_with("llvm.")
}

impl<'d, 'a> Differ<'d, 'a> {
    fn push(&mut self, pair: Pair, facts: &Facts<'a>, symbol: &str, kind: ChangeKind, function: bool) {
        let place = match function {
            true => facts.module.function_named(symbol).and_then(|f| facts.module.place_of_function(f)),
            false => facts.module.global_named(symbol).and_then(|g| facts.module.place_of_global(g)),
        };
        let (unit, symbol) = (facts.unit.name.clone(), symbol.to_owned());
        self.out.list.push(Change { unit, name: unescape(&symbol), kind, place, symbol, function, pair });
    }

    fn functions(&mut self, pair: Pair, old: Option<&'d Facts<'a>>, new: Option<&'d Facts<'a>>) {
        for (facts, function) in new.iter().flat_map(|facts| functions_of(facts)) {
            let here = old.filter(|o| has(facts, o, function));
            let before = here.or_else(|| self.elsewhere(function, &self.old_global, self.old));
            match before {
                None => {
                    self.out.needs_all |= is_unread(self.old, function);
                    self.push(pair, facts, function.name, ChangeKind::Added, true);
                }
                Some(before) => self.function(pair, before, facts, function),
            }
        }
        for (facts, function) in old.iter().flat_map(|facts| functions_of(facts)) {
            let stays = new.is_some_and(|n| has(facts, n, function))
                || self.elsewhere(function, &self.new_global, self.new).is_some();
            if !stays {
                self.out.needs_all |= is_unread(self.new, function);
                self.push(pair, facts, function.name, ChangeKind::Removed, true);
            }
        }
    }

    /// A function that moved between units keeps its name if that is known outside its unit.
    fn elsewhere(
        &self,
        f: &Function<'a>,
        index: &HashMap<&'a str, usize>,
        side: &'d Side<'a>,
    ) -> Option<&'d Facts<'a>> {
        let global = f.linkage != "internal" && f.linkage != "private";
        let unit = index.get(f.name).filter(|_| global)?;
        side.facts(*unit).filter(|facts| facts.functions.contains_key(f.name))
    }

    fn function(&mut self, pair: Pair, before: &Facts<'a>, facts: &Facts<'a>, function: &Function<'a>) {
        let (name, former) = (function.name, facts.name_in(before, function.name));
        let Some(earlier) = before.module.function_named(former) else { return };
        let pointees = signature::pointees_differ((&before.module, earlier), (&facts.module, function));
        if !pointees && before.functions.get(former) == facts.functions.get(name) {
            return;
        }
        let same_call = !pointees && full_signature(before, earlier) == full_signature(facts, function);
        let canonical = |f: &Facts<'a>, function| Canon::new(&f.module, &f.names, &f.root).function(function);
        let (a, b) = (canonical(before, earlier), canonical(facts, function));
        let (was, is) = ((&before.module, earlier, &a), (&facts.module, function, &b));
        if let Some(callees) = lines::only_lines_moved(self.lines, was, is).filter(|_| same_call) {
            let (unit, callees) = (facts.unit.name.clone(), callees.into_iter().collect());
            self.out.moved_lines.push(MovedLines { unit, function: unescape(name), callees });
            self.out.lines.push((pair, name.to_owned()));
            return;
        }
        // The compiler cuts pieces off functions and numbers them: one of the same name may be another piece, and who
        // still runs the old function needs the old one.
        let piece = is_piece(function.name, function.linkage) && !is_unmoved_body(before, facts, name);
        let kind = if same_call && !piece { ChangeKind::Body } else { ChangeKind::Signature };
        self.push(pair, facts, name, kind, true);
    }

    fn globals(&mut self, pair: Pair, old: Option<&Facts<'a>>, new: Option<&Facts<'a>>) {
        let compared = |g: &&Global<'a>| {
            g.initialiser.is_some() && !g.is_anonymous() && !is_special(g.name) && g.linkage != "available_externally"
        };
        for global in new.iter().flat_map(|f| &f.module.globals).filter(compared) {
            let facts = new.expect("the variable came from it");
            if facts.is_overridden(global.name) || facts.names.inside(global.name).is_some() {
                continue;
            }
            let key = facts.names.key(global.name);
            let here = old.filter(|o| !o.is_overridden(o.names.name(key))).and_then(|o| o.globals.get(key));
            let elsewhere = self.old_global.get(global.name).filter(|_| global.linkage != "internal");
            let moved = || facts.moved_static(global.name, |f| self.old.facts(*self.old_global.get(f)?));
            let there = || elsewhere.map_or_else(|| moved().map(|m| m.0), |unit| self.old.facts(*unit));
            let before = here.or_else(|| there()?.globals.get(key));
            match before {
                None => self.push(pair, facts, global.name, ChangeKind::Added, false),
                Some(hash) if facts.globals.get(key) != Some(hash) => {
                    self.push(pair, facts, global.name, ChangeKind::Global, false);
                }
                Some(_) => {}
            }
        }
        let mut kept: HashSet<&str> = new.iter().flat_map(|f| f.globals.keys()).map(String::as_str).collect();
        let wholes = new.iter().flat_map(|f| f.names.all_inside()).map(|(_, inside)| inside.whole.as_str());
        kept.extend(wholes.filter_map(|whole| old.map(|o| o.names.key(whole))));
        for global in old.iter().flat_map(|f| &f.module.globals).filter(compared) {
            let facts = old.expect("the variable came from it");
            let moved = match global.linkage {
                "internal" => facts.moved_static(global.name, |f| self.new.facts(*self.new_global.get(f)?)).is_some(),
                _ => self.new_global.contains_key(global.name),
            };
            if !moved && !facts.is_overridden(global.name) && !kept.contains(facts.names.key(global.name)) {
                self.push(pair, facts, global.name, ChangeKind::Removed, false);
            }
        }
    }

    fn aliases(&mut self, pair: Pair, old: Option<&Facts<'a>>, new: Option<&Facts<'a>>) {
        let list = |facts: Option<&Facts<'a>>| -> BTreeMap<&'a str, &'a str> {
            facts.iter().flat_map(|f| &f.module.aliases).map(|a| (a.name, a.text)).collect()
        };
        let (before, after) = (list(old), list(new));
        for (name, text) in &after {
            let facts = new.expect("the alias came from it");
            match before.get(name) {
                None => self.push(pair, facts, name, ChangeKind::Added, false),
                Some(earlier) if earlier != text => self.push(pair, facts, name, ChangeKind::Global, false),
                Some(_) => {}
            }
        }
        for name in before.keys().filter(|name| !after.contains_key(*name)) {
            let facts = old.expect("the alias came from it");
            let moved = self.new_global.contains_key(name);
            if !moved {
                self.push(pair, facts, name, ChangeKind::Removed, false);
            }
        }
    }
}

/// The functions of a unit that the program has.
fn functions_of<'f, 'a>(facts: &'f Facts<'a>) -> impl Iterator<Item = (&'f Facts<'a>, &'f Function<'a>)> {
    let all = facts.module.functions.iter().filter(|f| is_defined(f));
    all.filter(|f| !facts.is_overridden(f.name)).map(move |f| (facts, f))
}

/// Has the unit's other version this function, and the program that version's?
fn has(facts: &Facts<'_>, other: &Facts<'_>, function: &Function<'_>) -> bool {
    let name = facts.name_in(other, function.name);
    other.functions.contains_key(name) && !other.is_overridden(name)
}

/// Has a unit that was not read a definition of a function of this name? It is the program's.
fn is_unread(side: &Side<'_>, function: &Function<'_>) -> bool {
    let name = unescape(function.name);
    let unread = side.build.units.iter().enumerate().filter(|(index, _)| side.facts(*index).is_none());
    let has = |unit: &crate::build::Unit| unit.symbol(&name).is_some_and(|s| s.is_global() && s.is_present());
    !matches!(function.linkage, "internal" | "private") && unread.into_iter().any(|(_, unit)| has(unit))
}

/// Made by the compiler from another function: `f.cold.1`, `f.specialized.2`, `f.part.0`.
fn is_piece(name: &str, linkage: &str) -> bool {
    let made = ["_GLOBAL__", "__cxx_global_"].iter().any(|p| name.starts_with(p));
    linkage == "internal" && without_unique(name).contains('.') && !made
}

/// The body of a loop, which dsu-cc made a function, whose caller is the same in both builds: it is called with the
/// same variables, in the same order.
fn is_unmoved_body(before: &Facts<'_>, after: &Facts<'_>, name: &str) -> bool {
    let Some((caller, _)) = name.split_once(".dsu_loop") else { return false };
    let hashes = (before.functions.get(caller), after.functions.get(caller));
    hashes.0.is_some() && hashes.0 == hashes.1
}

/// Signature with named types replaced by their structure: a by-value struct that grew is another signature.
fn full_signature(facts: &Facts<'_>, function: &Function<'_>) -> String {
    let mut text = signature(function);
    for _ in 0..16 {
        let named = crate::ir::lex::tokens(&text)
            .find_map(|t| facts.module.type_index.get(t.text).map(|d| (t.at, t.end(), *d)));
        let Some((at, end, definition)) = named else { break };
        text.replace_range(at..end, definition);
    }
    text
}
