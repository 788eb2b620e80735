//! Refusals that the release engineer overrides, with a reason: `--accept NAME --because WHY`. They are in the manifest, in
//! the report, and in what operators see.

use serde::Serialize;

use crate::problem::{Problem, Reason, Result};

/// What was asked for on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The type or variable.
    pub name: String,
    /// Why it is safe.
    pub because: String,
}

/// A problem that was overridden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// What it is about.
    pub subject: String,
    /// Its kind.
    pub reason: Reason,
    /// What is wrong with it.
    pub message: String,
    /// Source file, when known.
    pub file: Option<String>,
    /// Line in it.
    pub line: Option<u32>,
    /// Why it was overridden.
    pub because: String,
}

/// Takes the problems that are overridden out of the list.
///
/// # Errors
/// When there is no such problem, or none that can be overridden.
pub fn accept(overrides: &[Override], problems: &mut Vec<Problem>) -> Result<Vec<Accepted>> {
    let mut out = Vec::new();
    for one in overrides {
        let is_meant = |p: &Problem| p.subject == bare(&one.name);
        let (meant, rest): (Vec<_>, Vec<_>) = problems.drain(..).partition(|p| is_meant(p) && p.is_overridable());
        *problems = rest;
        if meant.is_empty() {
            return Err(nothing(one, problems));
        }
        out.extend(meant.into_iter().map(|p| Accepted {
            subject: p.subject,
            reason: p.reason,
            message: p.message,
            file: p.file,
            line: p.line,
            because: one.because.clone(),
        }));
    }
    Ok(out)
}

/// `struct item` and `item` are one type.
pub(crate) fn bare(name: &str) -> &str {
    let tags = ["struct ", "union ", "enum "];
    tags.iter().find_map(|tag| name.strip_prefix(tag)).unwrap_or(name).trim()
}

fn nothing(one: &Override, problems: &[Problem]) -> Problem {
    if let Some(other) = problems.iter().find(|p| p.subject == bare(&one.name)) {
        let message = format!("is refused for `{}`, which cannot be overridden", other.reason.id());
        return Problem::new(Reason::NothingToAccept, &one.name, message);
    }
    let there: Vec<_> = problems.iter().filter(|p| p.is_overridable()).map(|p| format!("`{}`", p.subject)).collect();
    let there = if there.is_empty() { String::from("nothing") } else { there.join(", ") };
    Problem::new(Reason::NothingToAccept, &one.name, format!("is no open problem; to be accepted there is {there}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str) -> Vec<Override> {
        vec![Override { name: name.into(), because: "only read at start".into() }]
    }

    fn problems() -> Vec<Problem> {
        let layout = Problem::new(Reason::LayoutChanged, "item", "grew").overridable();
        vec![layout, Problem::new(Reason::AddressTaken, "send", "escapes")]
    }

    #[test]
    fn an_overridden_problem_keeps_its_reason() {
        let mut open = problems();
        let accepted = accept(&one("struct item"), &mut open).expect("there is one");
        assert_eq!((accepted.len(), open.len()), (1, 1));
        assert_eq!((accepted[0].subject.as_str(), accepted[0].because.as_str()), ("item", "only read at start"));
    }

    #[test]
    fn what_is_no_problem_and_what_cannot_be_overridden_are_told_apart() {
        let said = |name| accept(&one(name), &mut problems()).expect_err("nothing to accept").to_string();
        assert!(said("list").contains("there is `item`"), "{}", said("list"));
        assert!(said("send").contains("signature-escapes"), "{}", said("send"));
    }
}
