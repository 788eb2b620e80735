//! What patchgen says of a mutant, held against the oracle.
use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;

use super::mode::Mode;
use super::oracle::Differences;
use crate::process;

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// Neither sees a difference.
    Equal,
    /// A patch would replace all that differs.
    Patched {
        /// Functions that patchgen names and the oracle does not.
        more: Vec<String>,
    },
    /// patchgen refuses, and names all that differs.
    Refused {
        /// Its reasons.
        reasons: Vec<String>,
        /// Whether code or data differs at all.
        differs: bool,
    },
    /// Functions that use their lines are passed over, each by its name.
    PassedOver,
    /// The oracle sees a difference that patchgen does not name.
    Missed {
        /// Functions and data.
        names: Vec<String>,
        /// What patchgen said.
        verdict: String,
    },
    /// patchgen names a difference that is none.
    Invented {
        /// Functions.
        names: Vec<String>,
    },
    /// patchgen said nothing that one could use.
    Broken {
        /// Exit code and messages.
        message: String,
    },
}

/// Exit codes of `patchgen diff` that are answers: differences, none, refused, none that would ever run.
const ANSWERS: [i32; 4] = [0, 3, 4, 5];

/// The mark of a loop's body that the compiler made a function of; it belongs to the function it is from.
const LOOP: &str = ".dsu_loop";

/// What patchgen names.
struct Answer {
    verdict: String,
    /// Whatever it names in whatever role.
    named: BTreeSet<String>,
    /// Functions of the unit whose code differs.
    changed: BTreeSet<String>,
    /// What differs in other units, which are the same file in both builds.
    elsewhere: BTreeSet<String>,
    reasons: BTreeSet<String>,
    /// Functions passed over because they differ in their lines.
    lines: BTreeSet<String>,
}

impl Answer {
    fn read(report: &Value, unit: &str) -> Option<Self> {
        let list = |key: &str| report[key].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_here = |entry: &&Value| {
            entry["unit"].as_str().is_some_and(|path| Path::new(path).file_name().is_some_and(|name| name == unit))
        };
        let word = |key: &'static str| move |entry: &Value| Some(whole(entry[key].as_str()?));
        let code = |entry: &&Value| matches!(entry["kind"].as_str(), Some("body" | "signature"));
        let changes = || list("changes").iter();
        let mut named: BTreeSet<String> = changes().filter(is_here).filter_map(word("name")).collect();
        named.extend(list("update_set").iter().filter(is_here).filter_map(word("function")));
        named.extend(list("refusals").iter().filter_map(word("subject")));
        Some(Self {
            verdict: report["verdict"].as_str()?.to_owned(),
            named,
            changed: changes().filter(is_here).filter(code).filter_map(word("name")).collect(),
            elsewhere: changes().filter(|entry| !is_here(entry)).filter_map(word("name")).collect(),
            reasons: list("refusals").iter().filter_map(word("reason")).collect(),
            lines: list("line_numbers").iter().filter(is_here).filter_map(word("function")).collect(),
        })
    }
}

/// A function's name without the mark of what was cut off it.
fn whole(name: &str) -> String {
    name.split(LOOP).next().unwrap_or_default().to_owned()
}

/// Holds what `patchgen diff --json` says of a mutant of `unit` against the oracle.
///
/// # Errors
/// When it is an answer, but not the JSON it should be.
pub fn judge(mode: Mode, unit: &str, diff: &process::Outcome, differences: &Differences) -> Result<Outcome> {
    if !diff.code.is_some_and(|code| ANSWERS.contains(&code)) {
        return Ok(Outcome::Broken { message: diff.said() });
    }
    let report: Value = serde_json::from_str(&diff.stdout).context("patchgen's answer is no JSON")?;
    let answer = Answer::read(&report, unit).context("patchgen's answer has no verdict")?;
    let listed = [&differences.functions, &differences.functions_added, &differences.data, &differences.data_added];
    let named = |name: &str| is_named(name, &answer.named) || (mode == Mode::Lines && answer.lines.contains(name));
    // A constant of the unit goes where its users go.
    let taken_along = |users: &BTreeSet<String>| users.iter().all(|user| named(user));
    let constants = differences.constants.iter().filter(|(name, users)| !named(name) && !taken_along(users));
    let missed: Vec<String> = listed
        .into_iter()
        .flatten()
        .filter(|name| !named(name))
        .chain(constants.map(|(name, _)| name))
        .cloned()
        .collect();
    let refused = answer.verdict == "refused";
    let before_comparing = refused && answer.named.is_empty();
    if !missed.is_empty() && !before_comparing {
        return Ok(Outcome::Missed { names: missed, verdict: answer.verdict });
    }
    if !answer.elsewhere.is_empty() {
        return Ok(Outcome::Invented { names: answer.elsewhere.into_iter().collect() });
    }
    if differences.is_empty() && !answer.changed.is_empty() && !refused {
        return Ok(Outcome::Invented { names: answer.changed.into_iter().collect() });
    }
    if refused {
        return Ok(Outcome::Refused {
            reasons: answer.reasons.into_iter().collect(),
            differs: !differences.is_empty(),
        });
    }
    let users: BTreeSet<&String> = differences.constants.values().flatten().collect();
    let more = answer.changed.iter().filter(|name| !differences.functions.contains(*name) && !users.contains(name));
    let more = more.cloned().collect();
    Ok(match (&*answer.verdict, differences.is_empty()) {
        ("no-change", true) => Outcome::Equal,
        ("no-change", false) if !answer.lines.is_empty() => Outcome::PassedOver,
        _ => Outcome::Patched { more },
    })
}

/// A section of several symbols has the names of all of them; one is enough.
fn is_named(section: &str, named: &BTreeSet<String>) -> bool {
    section.split(' ').any(|name| named.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGED: &str = r#"{"verdict":"apply","changes":[{"unit":"src/u.c","name":"f","kind":"body"}]}"#;
    const ELSEWHERE: &str = r#"{"verdict":"apply","changes":[{"unit":"src/v.c","name":"f","kind":"body"}]}"#;
    const NONE: &str = r#"{"verdict":"no-change","changes":[],"line_numbers":[{"unit":"u.c","function":"g"}]}"#;

    fn outcome(mode: Mode, printed: &str, differences: &Differences) -> Outcome {
        let diff = process::Outcome { code: Some(0), stdout: printed.to_owned(), stderr: String::new() };
        judge(mode, "u.c", &diff, differences).expect("it is JSON")
    }

    fn differing(names: &[&str]) -> Differences {
        Differences { functions: names.iter().map(ToString::to_string).collect(), ..Differences::default() }
    }

    #[test]
    fn what_only_one_side_sees_is_missed_or_invented() {
        let outcome = |printed, names: &[&str]| outcome(Mode::Tokens, printed, &differing(names));
        assert_eq!(outcome(CHANGED, &["f"]), Outcome::Patched { more: Vec::new() });
        assert!(matches!(outcome(CHANGED, &["f", "g"]), Outcome::Missed { names, .. } if names == ["g"]));
        assert!(matches!(outcome(CHANGED, &[]), Outcome::Invented { names } if names == ["f"]));
        assert!(matches!(outcome(ELSEWHERE, &[]), Outcome::Invented { .. }));
        assert!(matches!(outcome(ELSEWHERE, &["f"]), Outcome::Missed { .. }));
        assert_eq!(outcome(NONE, &[]), Outcome::Equal);
    }

    #[test]
    fn a_line_may_be_passed_over_by_name_but_not_a_change() {
        assert_eq!(outcome(Mode::Lines, NONE, &differing(&["g"])), Outcome::PassedOver);
        assert!(matches!(outcome(Mode::Lines, NONE, &differing(&["h"])), Outcome::Missed { .. }));
        assert!(matches!(outcome(Mode::Tokens, NONE, &differing(&["g"])), Outcome::Missed { .. }));
    }

    #[test]
    fn a_constant_goes_where_all_its_users_go() {
        let used_by = |users: &[&str]| Differences {
            constants: [("table".to_owned(), users.iter().map(ToString::to_string).collect())].into(),
            ..Differences::default()
        };
        assert_eq!(outcome(Mode::Tokens, CHANGED, &used_by(&["f"])), Outcome::Patched { more: Vec::new() });
        assert!(matches!(outcome(Mode::Tokens, CHANGED, &used_by(&["f", "g"])), Outcome::Missed { .. }));
    }

    #[test]
    fn no_answer_is_no_good() {
        let diff = process::Outcome { code: Some(1), stdout: String::new(), stderr: "internal".to_owned() };
        assert!(matches!(judge(Mode::Tokens, "u.c", &diff, &Differences::default()), Ok(Outcome::Broken { .. })));
    }
}
