//! Apply, nothing to do, or refused: every rule that stands between a change and a running process.

mod builds;
mod constants;
mod data;
mod functions;
mod reinitialised;
mod units;
mod variables;

use serde::Serialize;

use crate::build::pair::Pair;
use crate::compare::closure::UpdateSet;
use crate::compare::diff::Changes;
use crate::compare::resolve::Resolver;
use crate::problem::Problem;

pub use builds::{check_builds, check_modules};
pub(crate) use functions::has_far_code;
pub use reinitialised::reinitialised;

/// The outcome of comparing two builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A patch can be made.
    Apply,
    /// Running code would not notice.
    NoChange,
    /// The builds differ, but nothing of the difference would ever run.
    NoEffect,
    /// A patch must not be made.
    Refused,
}

/// Everything the rules look at.
pub(crate) struct Case<'v, 's, 'a> {
    pub(crate) resolver: &'v Resolver<'s, 'a>,
    pub(crate) changes: &'v Changes,
    pub(crate) set: &'v UpdateSet,
    pub(crate) pairs: &'v [Pair],
}

/// Judges; the problems are sorted and said once each.
pub fn judge(
    resolver: &Resolver<'_, '_>,
    changes: &Changes,
    set: &UpdateSet,
    pairs: &[Pair],
    types: &crate::compare::layout::Types,
) -> (Verdict, Vec<Problem>) {
    let case = Case { resolver, changes, set, pairs };
    let mut problems = set.problems.clone();
    problems.extend(check_modules(resolver.old, resolver.new, pairs));
    problems.extend(units::check(&case));
    problems.extend(data::check(&case));
    problems.extend(variables::check(&case));
    problems.extend(functions::check(&case));
    problems.extend(crate::compare::layout::problems(types));
    problems.sort_by(|a, b| (a.reason, &a.subject).cmp(&(b.reason, &b.subject)));
    problems.dedup_by(|a, b| (a.reason, &a.subject) == (b.reason, &b.subject));
    (Verdict::of(&problems, set), problems)
}

impl Verdict {
    /// What follows from the problems that are left.
    pub fn of(problems: &[Problem], set: &UpdateSet) -> Self {
        match (problems.is_empty(), !set.members.is_empty()) {
            (false, _) => Verdict::Refused,
            (true, true) => Verdict::Apply,
            (true, false) => Verdict::NoChange,
        }
    }
}
