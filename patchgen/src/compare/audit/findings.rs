//! What was not explained, as problems that name it.

use std::collections::{BTreeMap, BTreeSet};

use super::side::{Range, Side};
use crate::build::Build;
use crate::problem::{Problem, Reason};

/// So many of one object file are said as one.
const MANY: usize = 8;
/// So many are said at all.
const MOST: usize = 40;
/// So many are looked at, to sum them up.
const LISTED: usize = 2_000;
/// What the names of the runtime's own code begin with, and those of the files that it was made from.
const RUNTIME: [&str; 8] = ["__dsu_", "dsu_", "_ZN3dsu", "_ZN7dsu_abi", "_ZN4core", "_RNv", "_ZN4sha2", "anon."];
const RUNTIME_FILES: [&str; 4] = ["dsu", "core.", "compiler_builtins", "sha2"];

/// Something that differs.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) code: bool,
    /// Range of the base, or of the base's code that leads to it.
    pub(super) old: Option<usize>,
    pub(super) new: Option<usize>,
    /// Place in both builds, of what has no name; 0 for none.
    pub(super) at: Option<(u64, u64)>,
    pub(super) message: String,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Finding>,
    /// So many more there were.
    passed: usize,
    named: Vec<(Reason, String, String)>,
}

/// A program that cannot be audited.
pub(super) fn without_sections(build: &Build) -> Problem {
    let message = "has no section headers: which bytes of it belong together cannot be seen";
    Problem::new(Reason::UnexplainedData, &build.name, message).overridable()
}

impl Findings {
    pub(super) fn add(&mut self, finding: Finding) {
        match self.list.len() < LISTED {
            true => self.list.push(finding),
            false => self.passed += 1,
        }
    }

    /// About a section as a whole.
    pub(super) fn section(&mut self, name: &str, message: String) {
        self.named.push((Reason::UnexplainedData, name.to_owned(), message));
    }

    /// About a name that the dynamic linker or the linker knows.
    pub(super) fn symbol(&mut self, name: &str, message: String) {
        self.named.push((Reason::UnexplainedData, name.to_owned(), message));
    }

    pub(super) fn problems(self, old: &Side<'_>, new: &Side<'_>) -> Vec<Problem> {
        let mut by_file: BTreeMap<String, Vec<(Reason, String, String)>> = BTreeMap::new();
        for finding in self.list {
            let reason = if finding.code { Reason::UnexplainedCode } else { Reason::UnexplainedData };
            let (subject, message) = told(&finding, old, new);
            let file = finding.old.filter(|i| *i < old.ranges.len()).and_then(|i| file(old, &old.ranges[i]));
            by_file.entry(file.unwrap_or_default()).or_default().push((reason, subject, message));
        }
        let mut all = self.named;
        let mut seen = BTreeSet::new();
        for (file, mut list) in by_file {
            let of_runtime = RUNTIME_FILES.iter().any(|r| file.starts_with(r));
            let count = list.len();
            list.retain(|(_, subject, _)| !of_runtime && !is_runtime(subject));
            if list.len() < count && seen.insert("libdsu.a".to_owned()) {
                let message = "differs: the two builds were linked by different versions of dsu-cc".to_owned();
                all.push((Reason::UnexplainedCode, "libdsu.a".to_owned(), message));
            }
            if list.len() > MANY && !file.is_empty() {
                let message = format!(
                    "{} of its functions and variables differ, `{}` for one, which {}",
                    list.len(),
                    list[0].1,
                    list[0].2
                );
                all.push((list[0].0, file, message));
            } else {
                let of = if file.is_empty() { String::new() } else { format!(" (from `{file}`)") };
                all.extend(list.into_iter().map(|(reason, subject, message)| (reason, subject, message + &of)));
            }
        }
        all.sort();
        all.dedup_by(|a, b| (a.0, &a.1) == (b.0, &b.1));
        let count = all.len() + self.passed;
        let more = count.saturating_sub(MOST);
        all.truncate(MOST);
        let problem = |(reason, subject, message)| Problem::new(reason, subject, message).overridable();
        let mut out: Vec<Problem> = all.into_iter().map(problem).collect();
        if more > 0 {
            // Nobody can override what was not shown.
            let message = format!("{more} of {count} differences are not listed: the builds have little in common");
            out.push(Problem::new(Reason::UnexplainedCode, &new.build.name, message));
        }
        out
    }
}

/// Is it a name of the runtime's?
pub(super) fn is_runtime(name: &str) -> bool {
    RUNTIME.iter().any(|r| name.starts_with(r))
}

/// Subject and message of a finding.
fn told(finding: &Finding, old: &Side<'_>, new: &Side<'_>) -> (String, String) {
    let name = |side: &Side<'_>, index: Option<usize>| {
        index.and_then(|i| side.ranges.get(i)).map(|range| name_of(side, range))
    };
    let user = name(old, finding.old).or_else(|| name(new, finding.new));
    match finding.at {
        None => (user.unwrap_or_default(), finding.message.clone()),
        Some((at, other)) => {
            let (side, place) = if at == 0 { (new, other) } else { (old, at) };
            let subject = side.place(place);
            let user = user.map_or(String::new(), |user| format!(", used by `{user}`"));
            (subject, format!("{}{user}, near `{}`", finding.message, side.shown_name(place)))
        }
    }
}

fn name_of(side: &Side<'_>, range: &Range<'_>) -> String {
    match range.names.first() {
        Some(key) => key.name.to_owned(),
        None => side.place(range.start),
    }
}

/// The source or object file of a range, as far as the symbol table tells.
fn file(side: &Side<'_>, range: &Range<'_>) -> Option<String> {
    let found = side.image.symbols.iter().find(|s| s.address == range.start && s.file.is_some())?;
    side.image.files.get(found.file? as usize).cloned()
}

impl Side<'_> {
    /// `.rodata+0x1d0`.
    pub(super) fn place(&self, at: u64) -> String {
        match self.section(at).map(|i| &self.image.sections[i]) {
            Some(section) => format!("{}+{:#x}", section.name, at - section.address),
            None => format!("{at:#x}"),
        }
    }

    /// The name at or before an address.
    pub(super) fn shown_name(&self, at: u64) -> String {
        let before = self.ranges.partition_point(|r| r.start <= at);
        let named = self.ranges[..before].iter().rev().take(64).find(|r| r.is_named());
        let Some(key) = named.and_then(|r| Some((r.start, r.names.first()?))) else { return self.place(at) };
        match at - key.0 {
            0 => key.1.name.to_owned(),
            distance => format!("{}+{distance:#x}", key.1.name),
        }
    }

    /// An address as a person knows it.
    pub(super) fn shown(&self, at: u64) -> String {
        if let Some(word) = self.plt_word(at)
            && let Some(symbol) = self.slot(word).and_then(|s| self.image.dynamic.get(s.symbol as usize))
        {
            return format!("`{}`", symbol.name);
        }
        let named = self.locate(at).is_some_and(|i| self.ranges[i].is_named());
        if named { format!("`{}`", self.shown_name(at)) } else { format!("`{}`", self.place(at)) }
    }
}
