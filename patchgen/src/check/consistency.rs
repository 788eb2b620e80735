//! When a thread starts to run new versions: all of a patch at once, at its next quiescence point (`thread`), or each
//! function with its next call (`newest`). The default follows from the update set: `newest` is enough when no two
//! of its functions can tell which version of the other runs.

use std::collections::{BTreeMap, BTreeSet};

use dsu_abi::patch::Consistency;
use serde::Serialize;

use crate::check::redirect::Redirect;
use crate::compare::callgraph::{CallGraph, uses};
use crate::compare::closure::{Role, UpdateSet};
use crate::compare::resolve::{Definition, Resolver};
use crate::ir::lex::unescape;
use crate::problem::{Problem, Reason, Result};

/// The reason of a choice that a person made.
pub const ASKED_FOR: &str = "it was asked for";

/// The two models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    /// Every call after the commit gets the newest version.
    Newest,
    /// Each thread switches all functions at once, at a quiescence point.
    Thread,
}

impl Model {
    /// Its number in the patch.
    pub fn number(self) -> Consistency {
        match self {
            Self::Newest => Consistency::Newest,
            Self::Thread => Consistency::Thread,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Thread => "thread",
        }
    }
}

/// A model, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The model.
    pub model: Model,
    /// A fragment that follows "because".
    pub reason: String,
}

impl Choice {
    /// `thread, because ...`.
    pub fn text(&self) -> String {
        format!("{}, because {}", self.model.name(), self.reason)
    }
}

/// Chooses; `requested` is what the release engineer asked for.
pub fn choose(
    resolver: &Resolver<'_, '_>,
    graph: &CallGraph,
    set: &UpdateSet,
    redirects: &[Redirect],
    requested: Option<Model>,
) -> Result<Choice> {
    let choice = match requested {
        Some(model) => Choice { model, reason: ASKED_FOR.to_owned() },
        None => by_default(resolver, graph, set, redirects),
    };
    let bound = || redirects.iter().find_map(|r| Some((r, r.bound_to_newest()?)));
    match (choice.model, bound()) {
        (Model::Thread, Some((redirect, why))) => {
            let message =
                format!("cannot be switched thread by thread, which is wanted because {}: {why}", choice.reason);
            Err(Problem::new(Reason::NotByThread, &redirect.base.name, message))
        }
        _ => Ok(choice),
    }
}

fn by_default(resolver: &Resolver<'_, '_>, graph: &CallGraph, set: &UpdateSet, redirects: &[Redirect]) -> Choice {
    let newest = |reason: String| Choice { model: Model::Newest, reason };
    if let [only] = redirects {
        return newest(format!("`{}` alone changes", only.base.name));
    }
    let connection = called(graph, redirects)
        .or_else(|| shared(resolver, set, redirects))
        .or_else(|| through_unread(resolver, graph, redirects));
    let Some(connection) = connection else {
        return newest(String::from("the functions that change neither call each other nor share what is new"));
    };
    if resolver.old.build.units.iter().all(|u| u.points.is_empty()) {
        return newest(format!("the base has no quiescence point to switch at, although {connection}"));
    }
    if let Some(holder) = redirects.iter().find(|r| r.holds_threads) {
        let name = &holder.base.name;
        return newest(format!(
            "threads wait in `{name}`, which changes and would hold them back, although {connection}"
        ));
    }
    Choice { model: Model::Thread, reason: connection }
}

/// One changed function calls another, directly or through others.
fn called(graph: &CallGraph, redirects: &[Redirect]) -> Option<String> {
    let changed: BTreeMap<&Definition, &Redirect> = redirects.iter().map(|r| (&r.definition, r)).collect();
    let direct = redirects.iter().find_map(|from| {
        let callees = graph.callees(&from.definition);
        let to = callees.iter().filter(|to| **to != from.definition).find_map(|to| changed.get(to))?;
        Some(format!("`{}` calls `{}` and both change", from.base.name, to.base.name))
    });
    direct.or_else(|| {
        redirects.iter().find_map(|from| {
            let reached = graph.reached(&from.definition);
            let to = reached.iter().filter(|to| **to != from.definition).find_map(|to| changed.get(to))?;
            Some(format!("`{}` reaches `{}` by calls and both change", from.base.name, to.base.name))
        })
    })
}

/// Two changed functions use something that only the patch has: new data, new content, a function of its own.
fn shared(resolver: &Resolver<'_, '_>, set: &UpdateSet, redirects: &[Redirect]) -> Option<String> {
    let mut users: BTreeMap<Definition, &Redirect> = BTreeMap::new();
    for redirect in redirects {
        for definition in only_in_patch(resolver, set, &redirect.definition) {
            if let Some(other) = users.insert(definition.clone(), redirect) {
                let (a, b, name) = (&other.base.name, &redirect.base.name, unescape(&definition.1));
                return Some(format!("`{a}` and `{b}` both use `{name}`, which differs from the base or is new"));
            }
        }
    }
    None
}

/// What a function uses of the patch's own functions and data, and what those use. Strings and the like have no
/// identity, and the function holds them all.
fn only_in_patch(resolver: &Resolver<'_, '_>, set: &UpdateSet, from: &Definition) -> BTreeSet<Definition> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from.clone()]);
    while let Some(user) = open.pop() {
        let Some(facts) = resolver.new.facts(user.0) else { continue };
        for (name, _) in uses(facts.module.text_of(&user.1).unwrap_or_default()) {
            let Some(used) = resolver.definition(user.0, name) else { continue };
            let module = resolver.new.facts(used.0).map(|f| &f.module);
            let global = module.and_then(|m| m.global_named(&used.1));
            let anonymous = global.is_some_and(|g| g.linkage == "private");
            let function = set.members.get(&used).is_some_and(|m| m.role == Role::New);
            if (function || set.data.contains(&used)) && !anonymous && found.insert(used.clone()) {
                open.push(used);
            }
        }
    }
    found
}

/// A changed function calls into a unit that did not change and was not read; it may call back.
fn through_unread(resolver: &Resolver<'_, '_>, graph: &CallGraph, redirects: &[Redirect]) -> Option<String> {
    let visible = |r: &&Redirect| r.base.record.as_ref().is_some_and(|record| record.is_global());
    redirects.iter().find_map(|from| {
        let reached = graph.reached(&from.definition);
        let outside = reached.iter().find(|d| resolver.new.facts(d.0).is_none())?;
        let to = redirects.iter().filter(visible).find(|to| to.definition != from.definition)?;
        let (a, b) = (&from.base.name, &to.base.name);
        Some(format!("`{a}` calls `{}`, which may call `{b}`, and both change", unescape(&outside.1)))
    })
}
