//! The way of a change, step by step.

use std::path::Path;

use crate::callgraph::CallGraph;
use crate::closure::{UpdateSet, close};
use crate::diff::diff;
use crate::emit::{self, Tools};
use crate::explain::Report;
use crate::extract::extract;
use crate::input::Build;
use crate::problem::Result;
use crate::program::{Load, Pair, Side, both, pair, roots, texts};
use crate::progress::Progress;
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

/// Compares them; makes a patch named `name` when one is wanted and possible.
pub fn compare(
    builds: &Builds,
    patch: Option<(&str, &Tools)>,
    progress: &Progress,
) -> Result<(Report, Option<Finished>)> {
    match attempt(builds, patch, Load::Changed, progress)? {
        Some(done) => Ok(done),
        // Something that other units can see changed: read them all.
        None => attempt(builds, patch, Load::All, progress)?.ok_or_else(|| {
            let text = "asks for units that were all read";
            crate::problem::Problem::new(crate::problem::Reason::Internal, "update set", text)
        }),
    }
}

type Attempt = Option<(Report, Option<Finished>)>;

fn attempt(builds: &Builds, patch: Option<(&str, &Tools)>, load: Load, progress: &Progress) -> Result<Attempt> {
    let Builds { old, new, pairs } = builds;
    progress.step("reading changed units");
    let (old_texts, new_texts) = texts(old, new, pairs, load)?;
    progress.step("fingerprinting");
    let root = |is_new: bool, index: usize| {
        let found = pairs.iter().find(|p| if is_new { p.new } else { p.old } == Some(index));
        let (o, n) = found.and_then(|p| Some((p.old?, p.new?))).unzip();
        let (Some(o), Some(n)) = (o, n) else { return String::new() };
        let (o, n) = roots(&old.units[o].directory, &new.units[n].directory);
        if is_new { n } else { o }
    };
    let (old_side, new_side) =
        both(|| Side::read(old, &old_texts, &|i| root(false, i)), || Side::read(new, &new_texts, &|i| root(true, i)));
    let (old_side, new_side) = (old_side?, new_side?);
    progress.step("comparing");
    let changes = diff(&old_side, &new_side, pairs);
    let resolver = Resolver::new(&old_side, &new_side, pairs);
    let graph = CallGraph::build(&resolver);
    let set = close(&resolver, &graph, &changes);
    if set.needs_all && load == Load::Changed {
        return Ok(None);
    }
    let (verdict, problems) = judge(&resolver, &changes, &set, pairs);
    let mut report = Report::new(&resolver, &graph, &changes, &set, verdict, problems);
    let finished = match patch {
        Some((name, tools)) if verdict == Verdict::Apply => {
            progress.step("generating code");
            make(&resolver, &set, &mut report, name, tools)?
        }
        _ => None,
    };
    Ok(Some((report, finished)))
}

/// A refusal that only shows when extracting or linking becomes part of the report.
fn make(
    resolver: &Resolver<'_, '_>,
    set: &UpdateSet,
    report: &mut Report,
    name: &str,
    tools: &Tools,
) -> Result<Option<Finished>> {
    let base = resolver.old.build;
    let linked = extract(resolver, set).and_then(|pieces| Ok((emit::link(base, &pieces, tools)?, pieces)));
    let (linked, pieces) = match linked {
        Ok(done) => done,
        Err(problem) if problem.reason.exit() == crate::exit::REFUSED => {
            report.refuse(problem);
            return Ok(None);
        }
        Err(problem) => return Err(problem),
    };
    let manifest = crate::manifest::manifest(report, base, resolver.new.build, &linked, &pieces, name);
    let bytes = emit::finish(&linked, base, set, &pieces, name, manifest.as_bytes())?;
    Ok(Some(Finished { bytes }))
}
