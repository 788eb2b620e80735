//! From what changed to what a patch must hold: the update set, each member with the reason that pulled it in,
//! and the new data it needs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::compare::callgraph::{CallGraph, Use, uses};
use crate::compare::diff::{ChangeKind, Changes};
use crate::compare::resolve::{BaseSymbol, Definition, Resolver};
use crate::ir::{Global, Symbol};
use crate::problem::{Problem, Reason};

/// What becomes of a function in the patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// The base's entry is redirected to it.
    Redirect(BaseSymbol),
    /// Only the patch calls it.
    New,
}

/// A function of the update set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// What becomes of it.
    pub role: Role,
    /// Why it is in the patch.
    pub reason: String,
}

/// What a patch must hold.
#[derive(Debug, Default)]
pub struct UpdateSet {
    /// Functions.
    pub members: BTreeMap<Definition, Member>,
    /// Variables and constants that live in the patch.
    pub data: BTreeSet<Definition>,
    /// What stands in the way.
    pub problems: Vec<Problem>,
    /// A unit that was not read must be.
    pub needs_all: bool,
}

/// Where a reference in patch code leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Referent {
    /// To a function or datum inside the patch.
    Patch(Definition),
    /// To the base.
    Base(BaseSymbol),
    /// To whatever the dynamic linker finds.
    External,
}

struct Closure<'c, 's, 'a> {
    resolver: &'c Resolver<'s, 'a>,
    graph: &'c CallGraph,
    signature_changed: BTreeSet<Definition>,
    /// Variables of the base that the patch has one of its own of.
    reinitialised: BTreeSet<Definition>,
    out: UpdateSet,
    queue: VecDeque<Definition>,
}

/// Computes the update set; `roots` are new functions that bring along what they need, each with its reason, and variables that are reinitialised those who use them.
pub fn close(
    resolver: &Resolver<'_, '_>,
    graph: &CallGraph,
    changes: &Changes,
    roots: impl IntoIterator<Item = (Definition, String)>,
    reinitialised: BTreeSet<Definition>,
) -> UpdateSet {
    let definition = |c: &crate::compare::diff::Change| c.pair.new.map(|unit| (unit, c.symbol.clone()));
    let signature_changed = changes.functions(ChangeKind::Signature).filter_map(definition).collect();
    let mut closure = Closure {
        resolver,
        graph,
        signature_changed,
        reinitialised,
        out: UpdateSet::default(),
        queue: VecDeque::new(),
    };
    for change in changes.functions(ChangeKind::Body) {
        if let Some(definition) = definition(change) {
            closure.redirect(definition.clone(), "its body changed");
            closure.callers_that_relied(change, &definition);
        }
    }
    for signature_changed in closure.signature_changed.clone() {
        closure.callers_of(&signature_changed);
    }
    closure.users_of_data(changes);
    for (definition, reason) in roots {
        closure.add(definition, Role::New, reason);
    }
    closure.finish()
}

/// The update set of these functions, redirected for one reason, with all they need.
pub fn close_over(
    resolver: &Resolver<'_, '_>,
    graph: &CallGraph,
    functions: impl IntoIterator<Item = (Definition, BaseSymbol)>,
    reason: &str,
) -> UpdateSet {
    let (signature_changed, reinitialised) = (BTreeSet::new(), BTreeSet::new());
    let mut closure = Closure {
        resolver,
        graph,
        signature_changed,
        reinitialised,
        out: UpdateSet::default(),
        queue: VecDeque::new(),
    };
    for (definition, base) in functions {
        closure.add(definition, Role::Redirect(base), reason.to_owned());
    }
    closure.finish()
}

impl Closure<'_, '_, '_> {
    fn finish(mut self) -> UpdateSet {
        while let Some(definition) = self.queue.pop_front() {
            self.follow(&definition);
        }
        self.out
    }

    fn redirect(&mut self, definition: Definition, reason: &str) {
        if self.out.members.contains_key(&definition) || self.signature_changed.contains(&definition) {
            return;
        }
        // Not one that the linker passed over for another.
        if !self.resolver.is_in_program(&definition) {
            return;
        }
        // A function that the base dropped has no entry and no callers there; whoever calls it now pulls it in.
        let Some(base) = self.resolver.base(&definition) else { return };
        let twin = self.out.members.values().any(|m| matches!(&m.role, Role::Redirect(b) if b.value == base.value));
        if !twin {
            self.add(definition, Role::Redirect(base), reason.to_owned());
        }
    }

    fn add(&mut self, definition: Definition, role: Role, reason: String) {
        self.queue.push_back(definition.clone());
        self.out.members.insert(definition, Member { role, reason });
    }

    fn callers_that_relied(&mut self, change: &crate::compare::diff::Change, definition: &Definition) {
        let old = change.pair.old.and_then(|i| self.resolver.old.facts(i));
        let new = self.resolver.new.facts(definition.0);
        let former = self.resolver.former_name(change.pair, &change.symbol);
        let old = old.and_then(|f| f.module.function_named(former));
        let new = new.and_then(|f| f.module.function_named(&change.symbol));
        let (Some(old), Some(new)) = (old, new) else { return };
        if crate::compare::attributes::weakened(old, new) {
            for caller in self.graph.callers(definition) {
                self.redirect(caller, &format!("relied on the range of what `{}` returned", change.name));
            }
        }
    }

    fn callers_of(&mut self, signature_changed: &Definition) {
        for caller in self.graph.callers(signature_changed) {
            self.redirect(caller, &format!("calls `{}`, whose signature changed", signature_changed.1));
        }
        self.ask_for_all_if_visible(signature_changed);
    }

    /// Other units may refer to it; they must have been read to know.
    fn ask_for_all_if_visible(&mut self, definition: &Definition) {
        let unit = &self.resolver.new.build.units[definition.0];
        let visible = unit.symbol(&crate::ir::lex::unescape(&definition.1)).is_some_and(|s| s.is_global());
        self.out.needs_all |= visible && self.resolver.new.units.len() < self.resolver.new.build.units.len();
    }

    /// Within a unit a constant is part of its users' fingerprints; other units see only its name. A variable that starts
    /// initial value has to be the same for all.
    fn users_of_data(&mut self, changes: &Changes) {
        let changed = changes.list.iter().filter(|c| c.kind == ChangeKind::Global && !c.function);
        for change in changed {
            let Some(unit) = change.pair.new else { continue };
            let facts = self.resolver.new.facts(unit);
            let constant = facts.and_then(|f| f.module.global_named(&change.symbol)).is_some_and(|g| g.constant);
            let target = (unit, change.symbol.clone());
            let reason = match (constant, self.reinitialised.contains(&target)) {
                (true, _) => format!("uses the constant `{}`, whose content changed", change.name),
                (_, true) => format!("uses `{}`, which is reinitialised", change.name),
                _ => continue,
            };
            self.ask_for_all_if_visible(&target);
            for facts in &self.resolver.new.units {
                for function in facts.module.functions.iter().filter(|f| crate::ir::is_defined(f)) {
                    let used = function.body.is_some_and(|b| b.contains(&change.symbol))
                        && uses(function.body.unwrap_or_default()).iter().any(|(name, _)| {
                            *name == change.symbol
                                && self.resolver.definition(facts.index, name).as_ref() == Some(&target)
                        });
                    if used {
                        self.redirect((facts.index, function.name.to_owned()), &reason);
                    }
                }
            }
        }
    }

    /// Pulls in what a member of the patch refers to and the base does not have.
    fn follow(&mut self, definition: &Definition) {
        let Some(facts) = self.resolver.new.facts(definition.0) else {
            self.out.needs_all = true;
            return;
        };
        let Some(text) = facts.module.text_of(&definition.1) else { return };
        let relative = facts.module.global_named(&definition.1).is_some() && is_relative(text);
        for (name, kind) in uses(text) {
            let Some(used) = self.resolver.definition(definition.0, name) else { continue };
            if self.out.members.contains_key(&used) || self.out.data.contains(&used) {
                continue;
            }
            self.used(definition, used, kind, relative);
        }
    }

    fn used(&mut self, user: &Definition, used: Definition, kind: Use, relative: bool) {
        let Some(facts) = self.resolver.new.facts(used.0) else {
            // An unchanged unit: only what the base dropped is missing.
            self.out.needs_all |= self.resolver.base(&used).is_none();
            return;
        };
        match facts.module.symbols.get(used.1.as_str()) {
            Some(Symbol::Function(_)) => {
                if relative {
                    let message = "a table refers to it by distance, which cannot reach into the base";
                    self.out.problems.push(Problem::new(Reason::RelativeReference, &used.1, message));
                }
                let reason = match (self.signature_changed.contains(&used), self.resolver.base(&used)) {
                    (true, _) => String::from("its signature changed"),
                    (false, None) if kind == Use::Call => format!("new, called by `{}`", user.1),
                    (false, None) => format!("new, used by `{}`", user.1),
                    (false, Some(_)) => return,
                };
                self.add(used, Role::New, reason);
            }
            Some(Symbol::Global(i)) => {
                let global = &facts.module.globals[*i];
                if relative || !self.stays_in_base(&used, global) {
                    self.new_data(used, global);
                }
            }
            Some(Symbol::Alias(_)) if self.resolver.base(&used).is_none() => {
                let message = "is a new alias";
                self.out.problems.push(Problem::new(Reason::AliasChanged, &used.1, message));
            }
            _ => {}
        }
    }

    fn stays_in_base(&self, definition: &Definition, global: &Global<'_>) -> bool {
        if global.linkage == "private" || self.reinitialised.contains(definition) {
            return false;
        }
        let same = !global.constant || self.resolver.is_unchanged(definition);
        same && !holds_labels(global) && self.resolver.base(definition).is_some()
    }

    fn new_data(&mut self, definition: Definition, global: &Global<'_>) {
        let facts = self.resolver.new.facts(definition.0);
        let place = facts.and_then(|f| f.module.place_of_global(global));
        if global.tls.is_some() {
            let problem = Problem::new(Reason::NewTls, &definition.1, "would be a new thread-local variable");
            self.out.problems.push(problem.at(place));
        } else if !global.constant && holds_labels(global) {
            let message = "is a variable that holds addresses of labels";
            self.out.problems.push(Problem::new(Reason::RelativeReference, &definition.1, message).at(place));
        }
        self.queue.push_back(definition.clone());
        self.out.data.insert(definition);
    }
}

/// Does an initialiser hold distances between objects?
fn is_relative(text: &str) -> bool {
    text.contains("sub (") && text.contains("ptrtoint (")
}

/// Addresses of labels belong to one body of a function.
pub(crate) fn holds_labels(global: &Global<'_>) -> bool {
    global.initialiser.is_some_and(|i| i.contains("blockaddress("))
}

impl UpdateSet {
    /// Is the address of a function that only the patch has stored or passed, in its code or data?
    pub fn new_function_address_taken(&self, resolver: &Resolver<'_, '_>) -> bool {
        let new = |d: &Definition| self.members.get(d).is_some_and(|m| m.role == Role::New);
        self.members.keys().chain(&self.data).any(|user| {
            let module = resolver.new.facts(user.0).map(|f| &f.module);
            let text = module.and_then(|m| m.text_of(&user.1)).unwrap_or_default();
            let addresses = uses(text).into_iter().filter(|(_, kind)| *kind == Use::Address);
            addresses.filter_map(|(name, _)| resolver.definition(user.0, name)).any(|d| new(&d))
        })
    }

    /// Where a name used in patch code of a unit leads.
    pub fn target(&self, resolver: &Resolver<'_, '_>, unit: usize, name: &str) -> Referent {
        let linked = resolver.linked(unit, name);
        let Some(definition) = resolver.definition(unit, name) else {
            return resolver.foreign(&linked).map_or(Referent::External, Referent::Base);
        };
        if resolver.is_interposable(unit, &linked) {
            return Referent::External;
        }
        match self.members.get(&definition) {
            Some(Member { role: Role::Redirect(base), .. }) => return Referent::Base(base.clone()),
            Some(_) => return Referent::Patch(definition),
            None if self.data.contains(&definition) => return Referent::Patch(definition),
            None => {}
        }
        resolver.base(&definition).map_or(Referent::External, Referent::Base)
    }
}
