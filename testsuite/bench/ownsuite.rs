//! memcached's own tests: what passes on a plain build has to pass on an instrumented one.
use std::time::Instant;

use anyhow::Result;
use testsuite::real::compiler::Flavor;
use testsuite::real::memcached;
use testsuite::real::subject::{Subject, Version};
use testsuite::real::suite;

use crate::progress;
use crate::section::Section;

pub(crate) fn measure(jobs: usize) -> Result<Section> {
    let memcached = memcached::fetch()?;
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    let mut plain = None;
    for flavor in Flavor::ALL {
        progress(&format!("memcached's own tests, {}", flavor.name()));
        let executable = memcached.cached_build(Version::Old, flavor)?;
        let tree = executable.parent().expect("the executable is in its tree");
        let begin = Instant::now();
        let outcomes = suite::run(tree, jobs)?;
        let plain = plain.get_or_insert_with(|| outcomes.clone());
        let differences = suite::differences(plain, &outcomes);
        rows.push(vec![
            flavor.name().to_owned(),
            outcomes.values().filter(|outcome| outcome.passed).count().to_string(),
            outcomes.len().to_string(),
            outcomes.values().map(|outcome| outcome.held).sum::<usize>().to_string(),
            differences.len().to_string(),
            format!("{:.0}", begin.elapsed().as_secs_f64()),
        ]);
        notes.extend(differences.iter().map(|difference| format!("{}: {difference}", flavor.name())));
    }
    Ok(Section {
        title: "memcached's own tests",
        command: format!("dsu-bench memcached-suite --jobs {jobs}"),
        note: if notes.is_empty() { "The same test files pass on every build.".to_owned() } else { notes.join("\n\n") },
        header: ["build", "files passed", "of", "checks held", "files that differ from plain", "seconds"]
            .map(str::to_owned)
            .to_vec(),
        rows,
    })
}
