//! The report a release engineer reads and forwards: one page with everything about a change, as HTML that needs no
//! other file, as text, and as JSON.

mod display;
mod drawing;

use std::collections::BTreeMap;

use minijinja::Environment;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use serde::Serialize;
use serde_json::Value;

use crate::build::Build;
use crate::check::overrides::Accepted;
use crate::check::rules::Verdict;
use crate::compare::diff::{ChangeKind, MovedLines};
use crate::patch::order::{Builds, Finished};
use crate::problem::{Problem, Reason, Result};
use crate::report::explain::{MemberReport, Report, ignored};
use crate::report::picture::Picture;
use crate::report::source::{self, SourcePair};

/// What the report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One file for a browser.
    Html,
    /// For a terminal or a mail.
    Text,
    /// For programs.
    Json,
    /// The call graph in Graphviz' language.
    Dot,
}

/// One of the two builds.
#[derive(Debug, Serialize)]
struct PageBuild {
    name: String,
    build_id: String,
    units: usize,
}

/// The finished patch.
#[derive(Debug, Serialize)]
struct Patch {
    bytes: usize,
    consistency: String,
    consistency_reason: String,
    hooks: Vec<String>,
}

/// A function of the update set.
#[derive(Debug, Serialize)]
struct PageFunction {
    #[serde(flatten)]
    member: MemberReport,
    /// Old and new, when they differ.
    signature_changed: bool,
    source: Vec<source::SourceDiff>,
    ir: Vec<source::DiffLine>,
}

/// A change that is not a function's.
#[derive(Debug, Serialize)]
struct Datum {
    name: String,
    unit: String,
    what: &'static str,
    place: String,
    /// What follows from it.
    consequence: String,
}

/// All of the report.
#[derive(Debug, Serialize)]
pub struct Page {
    title: String,
    verdict: Verdict,
    old: PageBuild,
    new: PageBuild,
    patch: Option<Patch>,
    functions: Vec<PageFunction>,
    data: Vec<Datum>,
    removed: Vec<String>,
    refusals: Vec<Problem>,
    accepted: Vec<Accepted>,
    risks: Vec<String>,
    threads: Vec<String>,
    tests: Vec<String>,
    moved_lines: usize,
    line_numbers: Vec<MovedLines>,
    /// The same in groups, for the templates.
    #[serde(skip)]
    ignored: Vec<(String, String, String)>,
    call_graph: Picture,
    #[serde(skip)]
    drawing: drawing::Drawing,
}

/// The picture is for the template alone.
#[derive(Serialize)]
struct Drawn<'p> {
    #[serde(flatten)]
    page: &'p Page,
    drawing: &'p drawing::Drawing,
    ignored: &'p [(String, String, String)],
    version: &'static str,
}

impl Page {
    /// Puts together what the comparison, and the patch if there is one, say.
    pub fn new(report: &Report, builds: &Builds, finished: Option<&Finished>, title: &str) -> Self {
        let manifest: Value =
            finished.map_or(Value::Null, |f| serde_json::from_str(&f.manifest).unwrap_or(Value::Null));
        let ir: BTreeMap<_, _> = report.diffs.iter().map(|d| (&d.definition, &d.lines)).collect();
        let line =
            |(marker, text): &(char, String)| source::DiffLine { marker: *marker, number: None, text: text.clone() };
        let source = |pair: &SourcePair| pair.clone().with_old_in(builds.trees.as_ref()).diff();
        let function = |member: &MemberReport| PageFunction {
            signature_changed: member.old_signature.as_ref().is_some_and(|old| *old != member.new_signature),
            source: member.sources.iter().map(source).collect(),
            ir: ir.get(&member.definition).into_iter().flat_map(|lines| lines.iter().map(line)).collect(),
            member: member.clone(),
        };
        let removed = report.changes.iter().filter(|c| c.kind == ChangeKind::Removed && c.function);
        Self {
            title: title.to_owned(),
            verdict: report.verdict,
            old: side(&builds.old),
            new: side(&builds.new),
            patch: finished.map(|f| patch(f, &manifest)),
            functions: report.update_set.iter().map(function).collect(),
            data: data(report),
            removed: removed.map(|c| format!("{} of {}", c.name, c.unit)).collect(),
            refusals: report.refusals.clone(),
            accepted: report.accepted.clone(),
            risks: display::risks(report, &manifest),
            threads: display::threads(report, &manifest),
            tests: display::tests(report),
            moved_lines: report.moved_lines,
            ignored: ignored(&report.line_numbers),
            line_numbers: report.line_numbers.clone(),
            drawing: drawing::draw(&report.call_graph),
            call_graph: report.call_graph.clone(),
        }
    }

    /// The report as one text.
    pub fn write(&self, format: Format) -> Result<String> {
        match format {
            Format::Json => Ok(serde_json::to_string_pretty(self).expect("a page has string keys")),
            Format::Dot => Ok(self.call_graph.dot()),
            Format::Html => self.render("page.html", include_str!("page.html")),
            Format::Text => self.render("page.txt", include_str!("page.txt")),
        }
    }

    /// A name that ends in `.html` has everything escaped that is put in.
    fn render(&self, name: &str, template: &str) -> Result<String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        let broken = |e: minijinja::Error| Problem::new(Reason::Internal, "report", e.to_string());
        environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(broken)?);
        let drawn =
            Drawn { page: self, drawing: &self.drawing, ignored: &self.ignored, version: env!("CARGO_PKG_VERSION") };
        environment.render_named_str(name, template, minijinja::Value::from(Serde(drawn))).map_err(broken)
    }
}

fn side(build: &Build) -> PageBuild {
    PageBuild { name: build.name.clone(), build_id: build.build_id_hex(), units: build.units.len() }
}

fn patch(finished: &Finished, manifest: &Value) -> Patch {
    let text = |key: &str| manifest[key].as_str().unwrap_or_default().to_owned();
    Patch {
        bytes: finished.bytes.len(),
        consistency: text("consistency"),
        consistency_reason: text("consistency_reason"),
        hooks: finished.hooks.iter().map(|moment| moment.function().to_owned()).collect(),
    }
}

/// Types, variables and constants that differ, each with what becomes of it.
fn data(report: &Report) -> Vec<Datum> {
    let differs = report.changes.iter().filter(|c| !c.function && c.kind != ChangeKind::Removed);
    let consequence = |name: &str, kind: ChangeKind| {
        let accepted = report.accepted.iter().find(|a| a.subject == name);
        let refused = report.refusals.iter().find(|p| p.subject == name);
        match (accepted, refused, kind) {
            (Some(risk), ..) => format!("accepted: {}; because {}", risk.message, risk.because),
            (_, Some(problem), _) => format!("refused: {}", problem.message),
            (.., ChangeKind::Added) => String::from("new; lives in the patch, and starts with its initial value"),
            (.., ChangeKind::Type) => String::from("no data of it outlives a call"),
            _ => String::from("its content is part of its users, or a transformer gives it its value"),
        }
    };
    let shown = differs.filter(|c| !c.name.starts_with("__const."));
    let datum = |c: &crate::compare::diff::Change| Datum {
        name: c.name.clone(),
        unit: c.unit.clone(),
        what: if c.kind == ChangeKind::Type { "type" } else { "variable" },
        place: c.place.as_ref().filter(|p| p.line != 0).map_or(String::new(), |p| format!("{}:{}", p.file, p.line)),
        consequence: consequence(&c.name, c.kind),
    };
    shown.map(datum).collect()
}
