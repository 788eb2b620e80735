//! What came out of many mutants, counted.
use std::collections::BTreeMap;

use super::answer::Outcome;
use super::trial::Mutant;

impl Outcome {
    /// Whether patchgen is wrong.
    pub fn is_wrong(&self) -> bool {
        matches!(self, Self::Missed { .. } | Self::Invented { .. } | Self::Broken { .. })
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Equal => "no difference, and none found",
            Self::Patched { more } if more.is_empty() => "patched",
            Self::Patched { .. } => "patched, with more than differs",
            Self::Refused { differs: true, .. } => "refused",
            Self::Refused { differs: false, .. } => "refused, no code or data differs",
            Self::PassedOver => "lines passed over, by name",
            Self::Missed { .. } => "MISSED",
            Self::Invented { .. } => "INVENTED",
            Self::Broken { .. } => "BROKEN",
        }
    }
}

/// The columns of [`rows`].
pub const HEADER: [&str; 4] = ["program", "mode", "what", "number"];

/// A row for each program, mode and outcome, and for each reason of refusals.
pub fn rows(mutants: &[Mutant]) -> Vec<Vec<String>> {
    let mut counts: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    let mut count = |mutant: &Mutant, what: String| {
        *counts.entry((mutant.program.clone(), mutant.mode.name(), what)).or_default() += 1;
    };
    for mutant in mutants {
        count(mutant, " all".to_owned());
        count(mutant, mutant.outcome.word().to_owned());
        if let Outcome::Refused { reasons, differs } = &mutant.outcome {
            let nothing = if *differs { "" } else { ", no code or data differs" };
            reasons.iter().for_each(|reason| count(mutant, format!("refused{nothing}: {reason}")));
        }
    }
    let row = |((program, mode, what), number): ((String, String, String), usize)| {
        vec![program, mode, what.trim().to_owned(), number.to_string()]
    };
    counts.into_iter().map(row).collect()
}

impl std::fmt::Display for Mutant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let detail = match &self.outcome {
            Outcome::Missed { names, verdict } => format!(" {} ({verdict})", names.join(", ")),
            Outcome::Invented { names } => format!(" {}", names.join(", ")),
            Outcome::Broken { message } => format!(" {message}"),
            Outcome::Patched { more } if !more.is_empty() => format!(": {}", more.join(", ")),
            Outcome::Refused { reasons, .. } => format!(": {}", reasons.join(", ")),
            _ => String::new(),
        };
        let Self { program, seed, change, place, .. } = self;
        write!(f, "{program} {seed} {change} at {place}: {}{detail}", self.outcome.word())?;
        if self.story.is_empty() { Ok(()) } else { write!(f, "\n{}", self.story) }
    }
}
