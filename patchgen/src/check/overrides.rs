//! Problems that the release engineer takes upon herself: `--accept NAME --because WHY`. They are in the manifest, in
//! the report, and in what operators see.

use serde::Serialize;

use crate::problem::{Problem, Reason, Result};

/// What was asked for on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The type or variable.
    pub name: String,
    /// Why it is safe.
    pub because: String,
}

/// A problem that was accepted.
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
    /// Why it was accepted.
    pub because: String,
}

/// Takes the problems that were accepted out of the list.
///
/// # Errors
/// When there is no such problem, or none that anybody could vouch for.
pub fn accept(wishes: &[Wish], problems: &mut Vec<Problem>) -> Result<Vec<Accepted>> {
    let mut out = Vec::new();
    for wish in wishes {
        let is_meant = |p: &Problem| p.subject == bare(&wish.name);
        let (meant, rest): (Vec<_>, Vec<_>) = problems.drain(..).partition(|p| is_meant(p) && p.is_acceptable());
        *problems = rest;
        if meant.is_empty() {
            return Err(nothing(wish, problems));
        }
        out.extend(meant.into_iter().map(|p| Accepted {
            subject: p.subject,
            reason: p.reason,
            message: p.message,
            file: p.file,
            line: p.line,
            because: wish.because.clone(),
        }));
    }
    Ok(out)
}

/// `struct item` and `item` are one type.
pub(crate) fn bare(name: &str) -> &str {
    let tags = ["struct ", "union ", "enum "];
    tags.iter().find_map(|tag| name.strip_prefix(tag)).unwrap_or(name).trim()
}

fn nothing(wish: &Wish, problems: &[Problem]) -> Problem {
    if let Some(other) = problems.iter().find(|p| p.subject == bare(&wish.name)) {
        let message = format!("is refused for `{}`, which nobody can vouch for", other.reason.id());
        return Problem::new(Reason::NothingToAccept, &wish.name, message);
    }
    let there: Vec<_> = problems.iter().filter(|p| p.is_acceptable()).map(|p| format!("`{}`", p.subject)).collect();
    let there = if there.is_empty() { String::from("nothing") } else { there.join(", ") };
    Problem::new(Reason::NothingToAccept, &wish.name, format!("is no open problem; to be accepted there is {there}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(name: &str) -> Vec<Wish> {
        vec![Wish { name: name.into(), because: "only read at start".into() }]
    }

    fn problems() -> Vec<Problem> {
        let layout = Problem::new(Reason::LayoutChanged, "item", "grew").acceptable();
        vec![layout, Problem::new(Reason::AddressTaken, "send", "escapes")]
    }

    #[test]
    fn an_accepted_problem_is_a_risk_with_its_reason() {
        let mut open = problems();
        let accepted = accept(&wish("struct item"), &mut open).expect("there is one");
        assert_eq!((accepted.len(), open.len()), (1, 1));
        assert_eq!((accepted[0].subject.as_str(), accepted[0].because.as_str()), ("item", "only read at start"));
    }

    #[test]
    fn what_is_no_problem_and_what_nobody_can_vouch_for_are_told_apart() {
        let said = |name| accept(&wish(name), &mut problems()).expect_err("nothing to accept").to_string();
        assert!(said("list").contains("there is `item`"), "{}", said("list"));
        assert!(said("send").contains("signature-escapes"), "{}", said("send"));
    }
}
