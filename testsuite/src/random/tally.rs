//! What came out of many programs, counted.
use std::collections::BTreeMap;

use serde::Serialize;

/// What became of one mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Patched, and right. Whether its output differs from the base's.
    Patched {
        /// A change that shows says more than one that does not.
        visible: bool,
    },
    /// patchgen saw no difference, and there is none.
    NoChange,
    /// patchgen refused; the ids of its reasons.
    Refused(Vec<String>),
    /// Not a program that could be compared; why.
    Discarded(&'static str),
}

/// Something is wrong: with the tools, or with this test.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// The seed that makes the program and its mutants.
    pub seed: u64,
    /// Which mutant; nothing when it is the base.
    pub mutant: Option<usize>,
    /// What was changed.
    pub changes: Vec<String>,
    /// What went wrong.
    pub message: String,
    /// The commands, as one would type them.
    pub commands: String,
}

/// All outcomes.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tally {
    /// csmith programs.
    pub programs: usize,
    /// Mutants of them.
    pub mutants: usize,
    /// Patched and right.
    pub patched: usize,
    /// Of these, whose output differs from the base's.
    pub visible: usize,
    /// No change.
    pub unchanged: usize,
    /// Refused, whatever the reasons.
    pub refused: usize,
    /// How often each reason was among those of a refusal.
    pub reasons: BTreeMap<String, usize>,
    /// Not comparable, by cause.
    pub discarded: BTreeMap<String, usize>,
    /// What went wrong.
    pub failures: Vec<Failure>,
}

impl Tally {
    /// Counts one mutant.
    pub fn add(&mut self, outcome: &Outcome) {
        self.mutants += 1;
        match outcome {
            Outcome::Patched { visible } => {
                self.patched += 1;
                self.visible += usize::from(*visible);
            }
            Outcome::NoChange => self.unchanged += 1,
            Outcome::Refused(reasons) => {
                self.refused += 1;
                reasons.iter().for_each(|reason| *self.reasons.entry(reason.clone()).or_default() += 1);
            }
            Outcome::Discarded(why) => *self.discarded.entry((*why).to_owned()).or_default() += 1,
        }
    }

    /// Names and numbers, for a table.
    pub fn rows(&self) -> Vec<[String; 2]> {
        let row = |name: &str, number: usize| [name.to_owned(), number.to_string()];
        let mut rows = vec![
            row("programs", self.programs),
            row("mutants", self.mutants),
            row("patched, and as a fresh process", self.patched),
            row("... with another output than the base", self.visible),
            row("no change, and none seen", self.unchanged),
            row("refused", self.refused),
        ];
        rows.extend(self.reasons.iter().map(|(reason, count)| row(&format!("... {reason}"), *count)));
        rows.extend(self.discarded.iter().map(|(why, count)| row(&format!("left out: {why}"), *count)));
        rows.push(row("wrong", self.failures.len()));
        rows
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mutant = self.mutant.map_or("the base itself".to_owned(), |number| format!("mutant {number}"));
        write!(f, "seed {}, {mutant}, changed: {}\n{}\n", self.seed, self.changes.join(", "), self.message)?;
        write!(f, "again: dsu-bench csmith --programs 1 --seed {}\n{}", self.seed, self.commands)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_counts_once_but_each_of_its_reasons() {
        let mut tally = Tally::default();
        tally.add(&Outcome::Refused(vec!["data-changed".into(), "layout-changed".into()]));
        tally.add(&Outcome::Refused(vec!["data-changed".into()]));
        tally.add(&Outcome::Patched { visible: false });
        assert_eq!((tally.mutants, tally.refused, tally.reasons["data-changed"]), (3, 2, 2));
        assert!(tally.rows().contains(&["... layout-changed".to_owned(), "1".to_owned()]));
    }
}
