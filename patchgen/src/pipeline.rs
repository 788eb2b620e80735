//! The way of a change, step by step.

use std::path::Path;

use crate::callgraph::CallGraph;
use crate::churn::{Everything, everything, let_threads_pass};
use crate::closure::{UpdateSet, close};
use crate::consistency::{Model, choose};
use crate::diff::{Changes, diff};
use crate::emit::{self, Tools};
use crate::explain::Report;
use crate::extract::extract;
use crate::input::Build;
use crate::problem::{Problem, Reason, Result};
use crate::program::{Load, Pair, both, pair, side, sides, texts, texts_of};
use crate::progress::Progress;
use crate::redirect::{Redirect, redirects};
use crate::resolve::Resolver;
use crate::verdict::{Verdict, check_builds, judge};

/// Two builds, read.
#[derive(Debug)]
pub struct Builds {
    /// The base.
    pub old: Build,
    /// The build to become.
    pub new: Build,
    pairs: Vec<Pair>,
}

/// A patch that is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Order<'o> {
    /// Name shown to operators.
    pub name: &'o str,
    /// What compiles and links it.
    pub tools: &'o Tools,
    /// Consistency, where the default is not wanted.
    pub consistency: Option<Model>,
}

/// A finished patch object.
#[derive(Debug)]
pub struct Finished {
    /// The file's bytes.
    pub bytes: Vec<u8>,
}

/// Reads both builds and pairs their units.
pub fn read(old: &Path, new: &Path) -> Result<Builds> {
    let (old, new) = both(|| Build::read(old), || Build::read(new));
    let (old, new) = (old?, new?);
    let pairs = pair(&old, &new)?;
    check_builds(&old, &new, &pairs)?;
    Ok(Builds { old, new, pairs })
}

/// Compares them; makes a patch when one is wanted and possible.
pub fn compare(builds: &Builds, patch: Option<Order<'_>>, progress: &Progress) -> Result<Outcome> {
    match attempt(builds, patch, Load::Changed, progress)? {
        Some(done) => Ok(done),
        // Something that other units can see changed: read them all.
        None => attempt(builds, patch, Load::All, progress)?
            .ok_or_else(|| Problem::new(Reason::Internal, "update set", "asks for units that were all read")),
    }
}

/// What was found, and the patch if one was made.
pub type Outcome = (Report, Option<Finished>);

type Attempt = Option<Outcome>;

fn attempt(builds: &Builds, patch: Option<Order<'_>>, load: Load, progress: &Progress) -> Result<Attempt> {
    let Builds { old, new, pairs } = builds;
    progress.step("reading changed units");
    let texts = texts(old, new, pairs, load)?;
    progress.step("fingerprinting");
    let (old_side, new_side) = sides((old, new), &texts, pairs)?;
    progress.step("comparing");
    let mut changes = diff(&old_side, &new_side, pairs);
    let resolver = Resolver::new(&old_side, &new_side, pairs);
    let graph = CallGraph::build(&resolver);
    let set = close(&resolver, &graph, &changes);
    if set.needs_all && load == Load::Changed {
        return Ok(None);
    }
    let types = crate::layout::find(&resolver, pairs);
    changes.list.extend(types.iter().map(crate::layout::Changed::change));
    let (verdict, problems) = judge(&resolver, &changes, &set, pairs, &types);
    let report = Report::new(&resolver, &graph, &changes, &set, verdict, problems);
    if report.verdict != Verdict::Apply {
        return Ok(Some((report, None)));
    }
    let redirects = redirects(&resolver, &set)?;
    make(report, &resolver, &graph, &set, &redirects, patch, progress).map(Some)
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
    let pairs: Vec<Pair> = (0..build.units.len()).map(|i| Pair { old: Some(i), new: Some(i) }).collect();
    let resolver = Resolver::new(&side, &side, &pairs);
    let graph = CallGraph::build(&resolver);
    let Everything { set, left_out } = everything(&resolver, &graph, consistency)?;
    let verdict = if set.members.is_empty() { Verdict::NoChange } else { Verdict::Apply };
    let mut report = Report::new(&resolver, &graph, &Changes::default(), &set, verdict, Vec::new());
    report.left_out = Some(left_out);
    if report.verdict != Verdict::Apply {
        return Ok((report, None));
    }
    let mut redirects = redirects(&resolver, &set)?;
    let_threads_pass(&resolver, &graph, &mut redirects);
    make(report, &resolver, &graph, &set, &redirects, Some(order), progress)
}

/// Makes the patch of an update set, when one is wanted.
fn make(
    mut report: Report,
    resolver: &Resolver<'_, '_>,
    graph: &CallGraph,
    set: &UpdateSet,
    redirects: &[Redirect],
    patch: Option<Order<'_>>,
    progress: &Progress,
) -> Result<Outcome> {
    let (old, new) = (resolver.old.build, resolver.new.build);
    let choice = match choose(resolver, graph, set, redirects, patch.and_then(|p| p.consistency)) {
        Ok(choice) => choice,
        Err(problem) => return refused(report, problem),
    };
    let model = choice.model;
    report.consistency = Some(choice);
    // `diff` goes this far too: what only shows when code is taken out of its unit is part of its answer.
    let mut pieces = match extract(resolver, set) {
        Ok(pieces) => pieces,
        Err(problem) => return refused(report, problem),
    };
    let Some(Order { name, tools, .. }) = patch else { return Ok((report, None)) };
    progress.step("generating code");
    let linked = match emit::link(old, &mut pieces, redirects, tools) {
        Ok(linked) => linked,
        Err(problem) => return refused(report, problem),
    };
    let manifest = crate::manifest::manifest(&report, (old, new), &linked, &pieces, redirects, name);
    let label = emit::Label { name, model, manifest: manifest.as_bytes() };
    let bytes = emit::finish(&linked, old, redirects, &pieces, label)?;
    Ok((report, Some(Finished { bytes })))
}

/// A reason that showed late: a refusal is part of the report, a failure is not.
fn refused(mut report: Report, problem: Problem) -> Result<Outcome> {
    if problem.reason.exit() != crate::exit::REFUSED {
        return Err(problem);
    }
    report.refuse(problem);
    Ok((report, None))
}
