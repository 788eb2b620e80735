//! What a patch does not do, or does in a way that could surprise: said before anybody is disappointed.

use serde::Serialize;

use crate::check::consistency::Model;
use crate::check::redirect::Redirect;
use crate::check::start_up::left_behind;
use crate::compare::callgraph::{CallGraph, Stay, stay};
use crate::compare::closure::{Role, UpdateSet};
use crate::compare::layout::Types;
use crate::compare::resolve::{Definition, Resolver};
use crate::ir::lex::{escape, unescape};
use crate::problem::Result;
use dsu_pass::markers::OUTLINED_LOOP;

/// Kinds of effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EffectKind {
    /// The function ran before the program began its work, and never runs again.
    StartUp,
    /// An invocation under way keeps the old version for as long as the process or thread lives.
    FrameStays,
    /// The body of a loop has other parameters: the loop that runs goes on with the old one.
    LoopKeepsBody,
    /// An old invocation may call the new version of itself.
    Recursive,
    /// A member has another name at the same place.
    MemberRenamed,
}

/// Something to know before the patch is applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// Which kind.
    pub kind: EffectKind,
    /// The function or type.
    pub subject: String,
    /// Its unit.
    pub unit: String,
    /// What happens, or does not.
    pub message: String,
    /// What can be done about it.
    pub help: &'static str,
    /// Variables that keep the values they have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<String>,
}

impl Effect {
    /// One line for a person.
    pub fn text(&self) -> String {
        format!("{}; {}", self.message, self.help)
    }
}

const RESTART: &str = "a hook or a transformer (--hooks), or a restart, brings it about";

/// Finds them; `redirects` belong to `set`.
///
/// # Errors
/// When a unit of the base cannot be read.
pub fn effects(
    resolver: &Resolver<'_, '_>,
    (graph, set): (&CallGraph, &UpdateSet),
    redirects: &[Redirect],
    types: &Types,
    model: Model,
) -> Result<Vec<Effect>> {
    let mut out = started(resolver, redirects)?;
    let is_left_behind = |name: &str, unit: &str| {
        out.iter().any(|e| e.kind == EffectKind::StartUp && e.subject == name && e.unit == unit)
    };
    let mut more = Vec::new();
    for redirect in redirects {
        let (name, unit) = (&redirect.base.name, &redirect.base.unit);
        if !is_left_behind(name, unit) {
            more.extend(frame_stays(resolver, redirect));
        }
    }
    if model == Model::Newest {
        let circles = graph.recursion();
        let calls_itself = |r: &&Redirect| circles.iter().any(|circle| circle.contains(&r.definition));
        more.extend(redirects.iter().filter(calls_itself).map(recursive));
    }
    more.extend(loops(resolver, set));
    more.extend(types.renamed().map(|(subject, unit, message)| Effect {
        kind: EffectKind::MemberRenamed,
        subject: subject.to_owned(),
        unit: unit.to_owned(),
        message,
        help: "if it means something else now, a transformer has to change what live objects hold",
        variables: Vec::new(),
    }));
    out.extend(more);
    out.sort_by(|a, b| (a.kind, &a.unit, &a.subject).cmp(&(b.kind, &b.unit, &b.subject)));
    out.dedup();
    Ok(out)
}

/// Whether nothing of the update set would ever run.
pub fn is_without_effect(effects: &[Effect], redirects: &[Redirect], set: &UpdateSet) -> bool {
    let never_runs = |redirect: &Redirect| {
        effects.iter().any(|e| {
            let same = e.subject == redirect.base.name && e.unit == redirect.base.unit;
            same && (e.kind == EffectKind::StartUp || e.kind == EffectKind::FrameStays && redirect.base.name == "main")
        })
    };
    let hooks = set.members.values().any(|member| member.reason.starts_with("hook: "));
    !redirects.is_empty() && !hooks && redirects.iter().all(never_runs)
}

fn started(resolver: &Resolver<'_, '_>, redirects: &[Redirect]) -> Result<Vec<Effect>> {
    let node = |redirect: &Redirect| {
        let units = &resolver.old.build.units;
        let of_pair = resolver.old_unit(redirect.definition.0).filter(|&unit| units[unit].name == redirect.base.unit);
        let unit = of_pair.or_else(|| units.iter().position(|unit| unit.name == redirect.base.unit))?;
        Some((unit, escape(&redirect.base.name)))
    };
    let nodes: Vec<_> = redirects.iter().filter_map(|redirect| Some((node(redirect)?, redirect))).collect();
    let asked: Vec<_> = nodes.iter().map(|(node, _)| node.clone()).collect();
    let found = left_behind(resolver.old.build, &asked)?;
    let effect = |redirect: &Redirect| {
        let variables = stored(resolver, &redirect.definition);
        let keep = match variables.as_slice() {
            [] => String::new(),
            names => format!(": what it sets keeps its value (`{}`)", names.join("`, `")),
        };
        Effect {
            kind: EffectKind::StartUp,
            subject: redirect.base.name.clone(),
            unit: redirect.base.unit.clone(),
            message: format!(
                "`{}` runs only before the program begins its work, and will not run again{keep}",
                redirect.base.name
            ),
            help: RESTART,
            variables,
        }
    };
    Ok(nodes.iter().filter(|(node, _)| found.contains(node)).map(|(_, redirect)| effect(redirect)).collect())
}

/// Variables that a function stores to by name.
fn stored(resolver: &Resolver<'_, '_>, definition: &Definition) -> Vec<String> {
    let Some(facts) = resolver.new.facts(definition.0) else { return Vec::new() };
    let body = facts.module.text_of(&definition.1).unwrap_or_default();
    let stores = body.lines().filter(|line| line.trim_start().starts_with("store "));
    let target = |line: &str| {
        let tail = line.rsplit("ptr @").next().filter(|tail| tail.len() < line.len())?;
        let end = tail.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '$'))).unwrap_or(tail.len());
        let name = tail.get(..end)?;
        facts.module.global_named(name).filter(|global| !global.constant).map(|_| unescape(name))
    };
    let mut names: Vec<String> = stores.filter_map(target).collect();
    names.sort();
    names.dedup();
    names
}

fn frame_stays(resolver: &Resolver<'_, '_>, redirect: &Redirect) -> Option<Effect> {
    let (facts, function) = redirect.old_version(resolver)?;
    let name = &redirect.base.name;
    let message = match stay(function)? {
        Stay::NeverReturns if name.contains(OUTLINED_LOOP) => return None,
        Stay::Main => String::from("`main` is called once: what changed in it itself takes no effect in this process"),
        Stay::NeverReturns => format!(
            "it never returns: the change in `{name}` takes effect where it is called again, as in a new thread; running \
             invocations keep the old version"
        ),
        Stay::ThreadLoop | Stay::Loop => format!(
            "threads wait for work in `{name}` itself: its change takes effect where it is called again; running \
             invocations keep the old version"
        ),
    };
    Some(Effect {
        kind: EffectKind::FrameStays,
        subject: name.clone(),
        unit: facts.to_owned(),
        message,
        help: "built with --dsu-outline-loops, a loop's next iteration is the newest",
        variables: Vec::new(),
    })
}

fn recursive(redirect: &Redirect) -> Effect {
    let name = &redirect.base.name;
    Effect {
        kind: EffectKind::Recursive,
        subject: name.clone(),
        unit: redirect.base.unit.clone(),
        message: format!(
            "`{name}` is recursive: an invocation under way goes on in the new version with its next call"
        ),
        help: "--consistency thread switches between two units of work only",
        variables: Vec::new(),
    }
}

/// Bodies of loops that are new functions although the loop itself is old.
fn loops<'r>(resolver: &'r Resolver<'_, '_>, set: &'r UpdateSet) -> impl Iterator<Item = Effect> + 'r {
    set.members.iter().filter_map(|(definition, member)| {
        let name = unescape(&definition.1);
        let outer = name.find(OUTLINED_LOOP).and_then(|at| name.get(..at))?.to_owned();
        let is_new = matches!(member.role, Role::New);
        let old = resolver.old.facts(resolver.old_unit(definition.0)?)?;
        old.module.function_named(&escape(&outer)).filter(|_| is_new)?;
        Some(Effect {
            kind: EffectKind::LoopKeepsBody,
            subject: outer.clone(),
            unit: resolver.new.build.units[definition.0].name.clone(),
            message: format!(
                "the loop in `{outer}` that runs goes on as it is, for its body has other parameters now; the change takes \
                 effect where `{outer}` is called again"
            ),
            help: "a change that uses no further variables of the function keeps the parameters; else restart",
            variables: Vec::new(),
        })
    })
}
