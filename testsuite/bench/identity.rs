//! The servers' own test suites while every function of the servers is replaced by a copy of itself, again and again.
use std::time::Instant;

use anyhow::{Result, ensure};
use testsuite::identity::Identity;
use testsuite::programs::Consistency;
use testsuite::real::compiler::Flavor;
use testsuite::real::memcached;
use testsuite::real::subject::{Subject, Version};
use testsuite::real::suite;

use crate::progress;
use crate::section::Section;

pub(crate) fn measure(jobs: usize, consistency: Option<Consistency>) -> Result<Section> {
    let memcached = memcached::fetch()?;
    let executable = memcached.cached_build(Version::Old, Flavor::Armed)?;
    let tree = executable.parent().expect("the executable is in its tree");
    let files = suite::files(tree)?;
    progress("memcached's own tests, undisturbed");
    let calm = suite::run_meanwhile(tree, &files, jobs, None)?;
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    for consistency in Consistency::ALL.into_iter().filter(|one| consistency.is_none_or(|only| only == *one)) {
        progress(&format!("memcached's own tests, every function replaced in {}", consistency.name()));
        let programs = ["memcached", "memcached-debug"].map(|name| tree.join(name));
        let identity = Identity::new(&programs, consistency)?;
        let begin = Instant::now();
        let outcomes = suite::run_meanwhile(tree, &files, jobs, Some(&|sockets| identity.update(sockets)))?;
        let [applied, reverted, gone] = identity.counts(100)?;
        let differences = suite::differences(&calm, &outcomes);
        rows.push(vec![
            "memcached".to_owned(),
            consistency.name().to_owned(),
            outcomes.values().filter(|outcome| outcome.passed).count().to_string(),
            outcomes.len().to_string(),
            differences.len().to_string(),
            applied.to_string(),
            reverted.to_string(),
            gone.to_string(),
            format!("{:.0}", begin.elapsed().as_secs_f64()),
        ]);
        notes.extend(differences.iter().map(|difference| format!("{}: {difference}", consistency.name())));
    }
    ensure!(!rows.is_empty(), "nothing was run");
    Ok(Section {
        title: "Identity churn",
        command: format!("dsu-bench identity-churn --jobs {jobs}"),
        note: if notes.is_empty() {
            "The same test files pass with and without.".to_owned()
        } else {
            notes.join("\n\n")
        },
        header: [
            "suite",
            "consistency",
            "files passed",
            "of",
            "files that differ",
            "applied",
            "reverted",
            "process gone",
            "seconds",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows,
    })
}
