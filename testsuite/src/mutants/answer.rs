//! What patchgen says of a mutant, held against the oracle.
use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;

use super::oracle::Differences;
use super::trial::Mode;

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

/// Exit codes of `patchgen diff` that are answers: differences, none, refused.
const ANSWERS: [i32; 3] = [0, 3, 4];

/// The mark of a loop's body that the compiler made a function of; it belongs to the function it is from.
const LOOP: &str = ".dsu_loop";

/// What patchgen names.
struct Answer {
    verdict: String,
    /// Whatever it names in whatever role.
    named: BTreeSet<String>,
    /// Functions whose code differs.
    changed: BTreeSet<String>,
    reasons: BTreeSet<String>,
    /// Functions passed over because they differ in their lines.
    lines: BTreeSet<String>,
}

impl Answer {
    fn read(report: &Value) -> Option<Self> {
        let list = |key: &str| report[key].as_array().map(Vec::as_slice).unwrap_or_default();
        let words = |key: &'static str, word: &'static str| {
            list(key).iter().filter_map(move |entry| Some(whole(entry[word].as_str()?)))
        };
        let code = |entry: &&Value| matches!(entry["kind"].as_str(), Some("body" | "signature"));
        let mut named: BTreeSet<String> = words("changes", "name").collect();
        named.extend(words("update_set", "function"));
        named.extend(words("refusals", "subject"));
        Some(Self {
            verdict: report["verdict"].as_str()?.to_owned(),
            named,
            changed: list("changes").iter().filter(code).filter_map(|c| Some(whole(c["name"].as_str()?))).collect(),
            reasons: words("refusals", "reason").collect(),
            lines: words("line_numbers", "function").collect(),
        })
    }
}

/// A function's name without the mark of what was cut off it.
fn whole(name: &str) -> String {
    name.split(LOOP).next().unwrap_or_default().to_owned()
}

/// Holds an answer of `patchgen diff --json` against the oracle.
///
/// # Errors
/// When the answer is one, but not the JSON it should be.
pub fn judge(mode: Mode, code: Option<i32>, printed: &str, said: &str, differences: &Differences) -> Result<Outcome> {
    if !code.is_some_and(|code| ANSWERS.contains(&code)) {
        return Ok(Outcome::Broken { message: format!("{code:?} {said}") });
    }
    let report: Value = serde_json::from_str(printed).context("patchgen's answer is no JSON")?;
    let answer = Answer::read(&report).context("patchgen's answer has no verdict")?;
    let seen: BTreeSet<&String> =
        [&differences.functions, &differences.functions_added, &differences.data, &differences.data_added]
            .into_iter()
            .flatten()
            .collect();
    let passed_over = |name: &str| mode == Mode::Lines && answer.lines.contains(name);
    let missed: Vec<String> = seen
        .iter()
        .filter(|name| !is_named(name, &answer.named) && !passed_over(name))
        .map(ToString::to_string)
        .collect();
    let refused = answer.verdict == "refused";
    if !missed.is_empty() && !(refused && answer.named.is_empty()) {
        return Ok(Outcome::Missed { names: missed, verdict: answer.verdict });
    }
    if seen.is_empty() && differences.is_empty() && !answer.changed.is_empty() && !refused {
        return Ok(Outcome::Invented { names: answer.changed.into_iter().collect() });
    }
    if refused {
        return Ok(Outcome::Refused {
            reasons: answer.reasons.into_iter().collect(),
            differs: !differences.is_empty(),
        });
    }
    let more = answer.changed.iter().filter(|name| !differences.functions.contains(*name)).cloned().collect();
    Ok(match (&*answer.verdict, seen.is_empty()) {
        ("no-change", true) => Outcome::Equal,
        ("no-change", false) if seen.iter().all(|name| answer.lines.contains(*name)) => Outcome::PassedOver,
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

    const CHANGED: &str = r#"{"verdict":"apply","changes":[{"name":"f","kind":"body"}],"update_set":[],"refusals":[]}"#;
    const NONE: &str =
        r#"{"verdict":"no-change","changes":[],"update_set":[],"refusals":[],"line_numbers":[{"function":"g"}]}"#;

    fn differing(names: &[&str]) -> Differences {
        Differences { functions: names.iter().map(ToString::to_string).collect(), ..Differences::default() }
    }

    fn outcome(mode: Mode, printed: &str, names: &[&str]) -> Outcome {
        judge(mode, Some(0), printed, "", &differing(names)).expect("it is JSON")
    }

    #[test]
    fn what_only_one_side_sees_is_missed_or_invented() {
        assert_eq!(outcome(Mode::Tokens, CHANGED, &["f"]), Outcome::Patched { more: Vec::new() });
        assert!(matches!(outcome(Mode::Tokens, CHANGED, &["f", "g"]), Outcome::Missed { names, .. } if names == ["g"]));
        assert!(matches!(outcome(Mode::Tokens, CHANGED, &[]), Outcome::Invented { names } if names == ["f"]));
        assert_eq!(outcome(Mode::Tokens, NONE, &[]), Outcome::Equal);
    }

    #[test]
    fn a_line_may_be_passed_over_by_name_but_not_a_change() {
        assert_eq!(outcome(Mode::Lines, NONE, &["g"]), Outcome::PassedOver);
        assert!(matches!(outcome(Mode::Lines, NONE, &["h"]), Outcome::Missed { .. }));
        assert!(matches!(outcome(Mode::Tokens, NONE, &["g"]), Outcome::Missed { .. }));
    }

    #[test]
    fn no_answer_is_no_good() {
        let broken = judge(Mode::Tokens, Some(1), "", "internal", &Differences::default());
        assert!(matches!(broken, Ok(Outcome::Broken { .. })));
    }
}
