//! Rules about data that exists in the running process: patch code meets it as it is.

use std::collections::BTreeMap;

use super::reinitialised::{is_same_storage, may_be_reinitialised};
use super::{Case, constants};
use crate::build::pair::Pair;
use crate::compare::closure::Role;
use crate::compare::diff::{Change, ChangeKind};
use crate::compare::resolve::Definition;
use crate::compare::side::Facts;
use crate::ir::Global;
use crate::ir::debug::Place;
use crate::ir::lex::unescape;
use crate::problem::{Problem, Reason, Related};

/// Characters of a type that a message shows.
const LONGEST_SHAPE: usize = 80;

pub(super) fn check(case: &Case<'_, '_, '_>) -> Vec<Problem> {
    let mut out = Vec::new();
    for change in case.changes.list.iter().filter(|c| !c.function) {
        match change.kind {
            ChangeKind::Global => out.extend(changed(case, change)),
            ChangeKind::Added => out.extend(added(case, change)),
            _ => {}
        }
    }
    out.extend(case.pairs.iter().flat_map(|pair| unnamed_constants(case, pair)));
    out.extend(ambiguous_statics(case));
    out.extend(added_to_namesakes(case));
    out.extend(constructors(case));
    out.extend(file_asm(case));
    out
}

fn sides<'c, 'a>(case: &Case<'_, 'c, 'a>, change: &Change) -> (Option<&'c Facts<'a>>, Option<&'c Facts<'a>>) {
    let old = change.pair.old.and_then(|i| case.resolver.old.facts(i));
    (old, change.pair.new.and_then(|i| case.resolver.new.facts(i)))
}

fn changed(case: &Case<'_, '_, '_>, change: &Change) -> Option<Problem> {
    let new = sides(case, change).1?;
    let Some(after) = new.module.global_named(&change.symbol) else {
        return Some(Problem::new(Reason::AliasChanged, &change.name, "is an alias or ifunc that changed"));
    };
    let (old, before) = case.resolver.before(&(new.index, change.symbol.clone()))?;
    let (was, becomes) = (shape(before), shape(after));
    let sides = ((&old.module, before), (&new.module, after));
    let same = is_same_storage(sides.0, sides.1);
    let own = !same && may_be_reinitialised(case.resolver, &change.name, sides.0, sides.1);
    let address_holder = own.then(|| constants::address_holder(&case.resolver.old.units, old, before)).flatten();
    let message = match () {
        () if before.constant && after.constant && after.section().is_none() => {
            // Constants are content: their users are updated and get the new one.
            return held_constant(&case.resolver.old.units, old, before, &change.name, change.place.clone());
        }
        () if before.tls.is_some() != after.tls.is_some() => {
            let thread_local = |g: &Global<'_>| if g.tls.is_some() { "thread-local" } else { "one for all threads" };
            format!("is {} in the running process and would become {}", thread_local(before), thread_local(after))
        }
        () if before.constant && after.constant => String::from("is a constant in a section of its own that changed"),
        () if before.constant => String::from("was a constant and would become a variable"),
        () if after.constant => String::from("was a variable and would become a constant"),
        () if was == becomes && before.initialiser == after.initialiser && before.tls != after.tls => {
            // Another model of access to the same storage: the code that uses it is changed itself.
            return None;
        }
        // The optimiser aligned it better than code needs that uses it otherwise.
        () if same
            && was != becomes
            && loose(&was) == loose(&becomes)
            && !before.initialiser.is_some_and(|i| i.contains('@'))
            && before.initialiser == after.initialiser
            && before.tls == after.tls =>
        {
            return None;
        }
        // Nothing at first, in both: what is left is its type, which is judged as such.
        () if same && was == becomes && [before, after].iter().all(|g| g.initialiser == Some("zeroinitializer")) => {
            return None;
        }
        () if old.names.form(before.name) != new.names.form(after.name) => {
            String::from("is kept in another form by new code")
        }
        () if !same || was != becomes => {
            let what = match was == becomes {
                true => format!("is `{}`, which is laid out differently", short(&was)),
                false => format!("is `{}` in the running process and would become `{}`", short(&was), short(&becomes)),
            };
            if own { what + &on_its_own(case, change, address_holder.as_ref()) } else { what }
        }
        () => String::from("would have to start with another value, but it exists already"),
    };
    let problem = Problem::new(Reason::DataChanged, &change.name, message).at(change.place.clone());
    // An override may say that the value it has, that of every old address holder, or that of a new one is good.
    let kept = !before.constant && before.tls == after.tls && before.section() == after.section() && same;
    Some(match () {
        () if kept => problem.overridable(),
        () if own => problem.about(address_holder.into_iter().collect()).overridable_by_reinitialising(),
        () => problem,
    })
}

/// A shape without its alignment.
fn loose(shape: &str) -> String {
    let items = crate::ir::header::split_commas(shape).into_iter().filter(|item| !item.starts_with("align "));
    items.collect::<Vec<_>>().join(", ")
}

/// A type without a name may fill pages.
fn short(shape: &str) -> String {
    match shape.char_indices().nth(LONGEST_SHAPE) {
        Some((end, _)) => format!("{}…", &shape[..end]),
        None => shape.to_owned(),
    }
}

/// What it would mean that new code has a variable of its own.
fn on_its_own(case: &Case<'_, '_, '_>, change: &Change, address_holder: Option<&Related>) -> String {
    let mut out = String::from(": new code could only have one of its own, which is reinitialised");
    if let Some(address_holder) = address_holder {
        out += &format!("; `{}` keeps the address of the old one", address_holder.name);
    }
    if case.resolver.is_exported(&change.name) {
        out += "; other modules keep the old one, as it is exported";
    }
    out
}

/// Constants of a unit that are known by content alone have no entry in the change set, but may be kept as well.
/// Strings are values.
fn unnamed_constants(case: &Case<'_, '_, '_>, pair: &Pair) -> Vec<Problem> {
    let old = pair.old.and_then(|i| case.resolver.old.facts(i));
    let new = pair.new.and_then(|i| case.resolver.new.facts(i));
    let Some((old, new)) = old.zip(new) else { return Vec::new() };
    let constants = old.module.globals.iter().filter(|g| g.is_anonymous() && g.linkage != "private");
    let tables = constants.filter(|g| !g.initialiser.is_some_and(|i| i.starts_with("c\"")));
    let changed = tables.filter(|g| {
        let key = old.names.key(g.name);
        new.globals.get(key).is_some_and(|hash| Some(hash) != old.globals.get(key))
    });
    let problem = |before: &Global<'_>| {
        let name = unescape(before.name);
        held_constant(&case.resolver.old.units, old, before, &name, old.module.place_of_global(before))
    };
    changed.filter_map(problem).collect()
}

/// Something that keeps the address of a constant would keep reading its old content.
fn held_constant(
    units: &[Facts<'_>],
    home: &Facts<'_>,
    constant: &Global<'_>,
    name: &str,
    place: Option<Place>,
) -> Option<Problem> {
    let address_holder = constants::address_holder(units, home, constant)?;
    let where_ =
        address_holder.file.as_ref().zip(address_holder.line).map_or(String::new(), |(f, l)| format!(" ({f}:{l})"));
    let message =
        format!("is a constant that changed, and `{}`{where_} keeps or compares its address", address_holder.name);
    Some(Problem::new(Reason::DataChanged, name, message).at(place).about(vec![address_holder]).overridable())
}

/// Type, alignment and section.
fn shape(global: &Global<'_>) -> String {
    let mut out = global.value_type.to_owned();
    for item in global.tail_items().into_iter().filter(|i| !i.starts_with("!dbg")) {
        out.push_str(", ");
        out.push_str(item);
    }
    out
}

fn added(case: &Case<'_, '_, '_>, change: &Change) -> Option<Problem> {
    let (old, new) = sides(case, change);
    let new = new?;
    let Some(global) = new.module.global_named(&change.symbol) else {
        let alias = new.module.aliases.iter().find(|a| a.name == change.symbol)?;
        let text = "chooses its implementation when the program starts";
        return alias.ifunc.then(|| Problem::new(Reason::NewIfunc, &change.name, text));
    };
    if let Some(section) = global.section() {
        let message = format!("would be a new entry of section {section}, which exists already");
        return Some(Problem::new(Reason::SectionChanged, &change.name, message).at(change.place.clone()));
    }
    // Only a variable that patch code uses has to exist; a constant has no state.
    let needed = case.set.data.contains(&(new.index, change.symbol.clone()));
    if global.constant || !needed {
        return None;
    }
    let lost =
        |message| Problem::new(Reason::DissolvedState, &change.name, message).at(change.place.clone()).overridable();
    if let Some(unit) = moved_from(case, change, global) {
        return Some(lost(format!(
            "existed in `{unit}`, where its value is; this would be another variable of that name"
        )));
    }
    if let Some(others) = new.names.doubtful.get(global.name) {
        let others = others.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
        let message =
            format!("may be {others} of the base, under another name or in another place, but not for certain");
        let problem = Problem::new(Reason::UnpairedVariable, &change.name, message);
        return Some(problem.at(change.place.clone()).overridable());
    }
    if new.module.variable(global).is_none() {
        return made_of(change, old?, global);
    }
    super::variables::lost(old?, new, global).map(|message| lost(message.to_owned()))
}

/// The unit that had a variable of this name and shape, and has it no more: most likely it was moved from there.
fn moved_from<'c>(case: &Case<'_, 'c, '_>, change: &Change, global: &Global<'_>) -> Option<&'c str> {
    let gone = |other: &&Change| !other.function && other.kind == ChangeKind::Removed && other.name == change.name;
    case.changes.list.iter().filter(gone).find_map(|other| {
        let old = case.resolver.old.facts(other.pair.old?)?;
        let before = old.module.global_named(&other.symbol)?;
        (!before.constant && shape(before) == shape(global)).then_some(old.unit.name.as_str())
    })
}

/// A variable without debug information is what the compiler made of another one: a piece of it, or the place of
/// what it pointed to. Where the old build kept that is not known.
fn made_of(change: &Change, old: &Facts<'_>, global: &Global<'_>) -> Option<Problem> {
    let name = unescape(global.name);
    let whole = name.split('.').find(|part| {
        let quoted = format!("name: \"{part}\"");
        old.module.global_named(part).is_some()
            || old.module.metadata.iter().any(|n| n.contains("!DIGlobalVariable(") && n.contains(&quoted))
    })?;
    let message = format!("is a part that the compiler made of `{whole}`, which the old build keeps in another way");
    Some(Problem::new(Reason::DissolvedState, &change.name, message))
}

/// Static locals of one name in one function are told apart by their order; where their number changed and their
/// definitions do not tell, nothing does.
fn ambiguous_statics(case: &Case<'_, '_, '_>) -> Vec<Problem> {
    let message = "the number of static variables of this name in the function changed, and they look alike";
    let all = case.resolver.new.units.iter().flat_map(|f| &f.names.ambiguous);
    all.map(|base| Problem::new(Reason::AmbiguousStatic, base, message)).collect()
}

/// A static variable that a patch adds is known by its name and that of its unit, to later patches too.
fn added_to_namesakes(case: &Case<'_, '_, '_>) -> Vec<Problem> {
    let problem = |(unit, symbol): &Definition| {
        let facts = case.resolver.new.facts(*unit)?;
        let global = facts.module.global_named(symbol).filter(|g| !g.constant)?;
        let local = matches!(global.linkage, "internal" | "private");
        let namesakes = case.resolver.new.build.units.iter().filter(|other| other.name == facts.unit.name).count();
        let message = format!("adds `{}`, and the program has {namesakes} units of this name", unescape(global.name));
        (local && namesakes > 1).then(|| Problem::new(Reason::AmbiguousUnit, &facts.unit.name, message))
    };
    case.set.data.iter().filter_map(problem).collect()
}

fn constructors(case: &Case<'_, '_, '_>) -> Vec<Problem> {
    let mut out = Vec::new();
    for name in ["llvm.global_ctors", "llvm.global_dtors"] {
        let list = |facts: Option<&Facts<'_>>| -> Vec<String> {
            let global = facts.and_then(|f| f.module.global_named(name));
            let text = global.and_then(|g| g.initialiser).unwrap_or_default();
            crate::compare::callgraph::uses(text).into_iter().map(|(n, _)| n.to_owned()).collect()
        };
        for pair in case.pairs {
            let new = pair.new.and_then(|i| case.resolver.new.facts(i));
            let old = pair.old.and_then(|i| case.resolver.old.facts(i));
            let before = list(old);
            let exists = |f: Option<&Facts<'_>>| f.is_some_and(|f| f.module.global_named(name).is_some());
            if let Some(new) = new.filter(|_| exists(new) && !exists(old) && list(new).is_empty()) {
                let message = "has a new constructor, which the compiler ran; the process has already started";
                out.push(Problem::new(Reason::ConstructorsChanged, &new.unit.name, message));
            }
            let former = |f: &String| case.resolver.former_name(*pair, f).to_owned();
            for function in list(new).into_iter().filter(|f| !before.contains(&former(f))) {
                let place = new.and_then(|f| f.module.place_of_function(f.module.function_named(&function)?));
                let problem = |message| Problem::new(Reason::ConstructorsChanged, &function, message).at(place);
                out.push(match name {
                    // An override may say that nothing is lost when it does not run.
                    "llvm.global_dtors" => {
                        problem("is a new destructor; a process that was patched ends without it").overridable()
                    }
                    _ => problem("is a new constructor; the process has already started"),
                });
            }
        }
    }
    // A constructor that changed has run in its old form.
    for ((unit, name), member) in &case.set.members {
        let facts = case.resolver.new.facts(*unit);
        let runs_at_start = facts.is_some_and(|f| {
            f.module
                .global_named("llvm.global_ctors")
                .and_then(|g| g.initialiser)
                .is_some_and(|i| crate::compare::callgraph::uses(i).iter().any(|(n, _)| n == name))
        });
        if runs_at_start && matches!(member.role, Role::Redirect(_)) {
            let message = "is a constructor that changed; it has run already";
            out.push(Problem::new(Reason::ConstructorsChanged, name, message));
        }
    }
    out
}

fn file_asm(case: &Case<'_, '_, '_>) -> Vec<Problem> {
    let mut by_unit: BTreeMap<String, bool> = BTreeMap::new();
    for pair in case.pairs {
        let new = pair.new.and_then(|i| case.resolver.new.facts(i));
        let old = pair.old.and_then(|i| case.resolver.old.facts(i));
        if let Some(new) = new {
            by_unit.insert(new.unit.name.clone(), old.map_or(&[][..], |o| &o.module.asm) == new.module.asm);
        }
    }
    let changed = by_unit.into_iter().filter(|(_, same)| !same);
    changed.map(|(unit, _)| Problem::new(Reason::FileAsm, unit, "assembly at file level changed")).collect()
}
