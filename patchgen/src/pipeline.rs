//! The way of a change, step by step.

use std::path::Path;

use crate::build::both;
use crate::build::pair::{Load, Pair, pair};
use crate::build::{Build, running};
use crate::check::consistency::{Model, choose};
use crate::check::effects;
use crate::check::overrides::{self, Override};
use crate::check::redirect::{Redirect, redirects};
use crate::check::rules::{Verdict, check_builds, judge, reinitialised};
use crate::compare::audit::{Subject, audit};
use crate::compare::callgraph::CallGraph;
use crate::compare::closure::{UpdateSet, close};
use crate::compare::diff::{Changes, LineRule, diff};
use crate::compare::layout::Types;
use crate::compare::resolve::Resolver;
use crate::compare::side::{counterparts, side, sides, texts, texts_of};
use crate::patch::emit;
use crate::patch::extract::extract;
use crate::patch::hooks::{self, Hooks, Transformed};
use crate::patch::order::{Builds, Finished, Order};
use crate::patch::self_patch::{SelfPatch, exempt_from_stack_check, self_patch};
use crate::problem::{Problem, Reason, Result};
use crate::progress::Progress;
use crate::report::explain::Report;

/// Reads both builds and pairs their units; `running` names a process or file that must be the first.
pub fn read(old: &Path, new: &Path, running: Option<&str>) -> Result<Builds> {
    let (old, new) = both(|| Build::read(old), || Build::read(new));
    pair_up(old?, new?, running)
}

/// The same for builds that were read already.
pub fn pair_up(old: Build, new: Build, running: Option<&str>) -> Result<Builds> {
    if let Some(running) = running {
        running::check(&old, &new, running)?;
    }
    let pairs = pair(&old, &new)?;
    check_builds(&old, &new, &pairs)?;
    Ok(Builds { old, new, pairs, hooks: Hooks::default(), lines: LineRule::default(), trees: None })
}

/// Compares them, with overrides; makes a patch when one is wanted and possible.
pub fn compare(builds: &Builds, accept: &[Override], patch: Option<Order<'_>>, progress: &Progress) -> Result<Outcome> {
    match attempt(builds, accept, patch, Load::Changed, progress)? {
        Some(done) => Ok(done),
        // Something that other units can see changed: read them all.
        None => attempt(builds, accept, patch, Load::All, progress)?
            .ok_or_else(|| Problem::new(Reason::Internal, "update set", "asks for units that were all read")),
    }
}

/// What was found, and the patch if one was made.
pub type Outcome = (Report, Option<Finished>);

type Attempt = Option<Outcome>;

fn attempt(
    builds: &Builds,
    accept: &[Override],
    patch: Option<Order<'_>>,
    load: Load,
    progress: &Progress,
) -> Result<Attempt> {
    let Builds { old, new, pairs, hooks, lines, trees: _ } = builds;
    progress.step("reading changed units");
    let texts = texts(old, new, pairs, load)?;
    progress.step("fingerprinting");
    let (old_side, new_side) = sides((old, new), &texts, pairs)?;
    progress.step("comparing");
    let mut changes = diff(&old_side, &new_side, pairs, lines);
    changes.list.retain(|change| !hooks.hold(change));
    let resolver = Resolver::new(&old_side, &new_side, pairs);
    let types = crate::compare::layout::find(&resolver, pairs);
    types.enter(&resolver, pairs, &mut changes);
    let graph = CallGraph::build(&resolver);
    let set = close(&resolver, &graph, &changes, hooks.roots(), reinitialised(&resolver, &changes, accept));
    if (set.needs_all || types.needs_all || changes.needs_all) && load == Load::Changed {
        return Ok(None);
    }
    let (_, mut problems) = judge(&resolver, &changes, &set, pairs, &types);
    problems.extend(texts.1.problems.iter().cloned());
    let transformed = hooks.transform(&resolver, &changes.list, &mut problems)?;
    // What was compiled differently differs everywhere.
    if !problems.iter().any(|p| p.reason == Reason::DifferentFlags) {
        let counterparts = &counterparts(&old_side, &new_side, &texts.1, pairs);
        problems.extend(audit(&Subject { old, new, pairs, counterparts, changes: &changes, set: &set }, progress));
    }
    let accepted = overrides::accept(accept, &mut problems)?;
    let verdict = Verdict::of(&problems, &set);
    let mut report = Report::new(&resolver, &graph, &changes, &set, verdict, problems);
    report.accepted = accepted;
    if report.verdict != Verdict::Apply {
        return Ok(Some((report, None)));
    }
    let redirects = redirects(&resolver, &set)?;
    let wanted = PatchParts {
        graph: &graph,
        set: &set,
        redirects: &redirects,
        hooks,
        transformed: &transformed,
        types: Some(&types),
    };
    make(report, &resolver, &wanted, patch, progress).map(Some)
}

/// A patch that replaces every function of a build by a recompiled copy of itself.
pub fn replace_all(build: &Path, order: Order<'_>, progress: &Progress) -> Result<Outcome> {
    // A mix of equal versions cannot be told from one version.
    let consistency = order.consistency.unwrap_or(Model::Newest);
    let order = Order { consistency: Some(consistency), ..order };
    let build = Build::read(build)?;
    progress.step("reading all units");
    let texts = texts_of(&build)?;
    let side = side(&build, &texts)?;
    let pairs: Vec<Pair> = (0..build.units.len()).map(|i| Pair { old: Some(i), new: Some(i), certain: true }).collect();
    let resolver = Resolver::new(&side, &side, &pairs);
    let graph = CallGraph::build(&resolver);
    let SelfPatch { set, left_out } = self_patch(&resolver, &graph, consistency)?;
    let verdict = if set.members.is_empty() { Verdict::NoChange } else { Verdict::Apply };
    let mut report = Report::new(&resolver, &graph, &Changes::default(), &set, verdict, Vec::new());
    report.left_out = Some(left_out);
    if report.verdict != Verdict::Apply {
        return Ok((report, None));
    }
    let mut redirects = redirects(&resolver, &set)?;
    exempt_from_stack_check(&resolver, &graph, &mut redirects);
    let (hooks, transformed) = (Hooks::default(), Transformed::default());
    let wanted = PatchParts {
        graph: &graph,
        set: &set,
        redirects: &redirects,
        hooks: &hooks,
        transformed: &transformed,
        types: None,
    };
    make(report, &resolver, &wanted, Some(order), progress)
}

/// What a patch is made of.
struct PatchParts<'w> {
    graph: &'w CallGraph,
    set: &'w UpdateSet,
    redirects: &'w [Redirect],
    hooks: &'w Hooks,
    transformed: &'w Transformed,
    /// None for copies of functions, which have no effect to speak of.
    types: Option<&'w Types>,
}

/// Makes the patch of an update set, when one is wanted.
fn make(
    mut report: Report,
    resolver: &Resolver<'_, '_>,
    wanted: &PatchParts<'_>,
    patch: Option<Order<'_>>,
    progress: &Progress,
) -> Result<Outcome> {
    let PatchParts { graph, set, redirects, hooks, transformed, types } = *wanted;
    let (old, new) = (resolver.old.build, resolver.new.build);
    let choice = match choose(resolver, graph, set, redirects, patch.and_then(|p| p.consistency)) {
        Ok(choice) => choice,
        Err(problem) => return refused(report, problem),
    };
    let model = choice.model;
    report.consistency = Some(choice);
    if let Some(types) = types {
        progress.step("looking for what would not take effect");
        report.effects = effects::effects(resolver, (graph, set), redirects, types, model)?;
        if effects::is_without_effect(&report.effects, redirects, set) {
            report.verdict = Verdict::NoEffect;
            report.consistency = None;
            return Ok((report, None));
        }
    }
    // `diff` goes this far too: what only shows when code is taken out of its unit is part of its answer.
    let mut extracted = match extract(resolver, set) {
        Ok(extracted) => extracted,
        Err(problem) => return refused(report, problem),
    };
    let extracted_module = hooks::extracted_module(hooks, transformed, &mut extracted)?;
    extracted.list.extend(extracted_module);
    let Some(Order { name, tools, .. }) = patch else { return Ok((report, None)) };
    progress.step("generating code");
    let linked = match emit::link(old, &mut extracted, redirects, tools) {
        Ok(linked) => linked,
        Err(problem) => return refused(report, problem),
    };
    let manifest = crate::report::manifest::manifest(&report, (old, new), &linked, &extracted, redirects, name);
    let label = emit::Label { name, model, manifest: manifest.as_bytes() };
    let bytes = emit::finish(&linked, old, redirects, &extracted, label)?;
    Ok((report, Some(Finished { bytes, manifest, hooks: hooks.moments(transformed) })))
}

/// A reason that showed late: a refusal is part of the report, a failure is not.
fn refused(mut report: Report, problem: Problem) -> Result<Outcome> {
    if problem.reason.exit() != crate::exit::REFUSED {
        return Err(problem);
    }
    report.refuse(problem);
    Ok((report, None))
}
