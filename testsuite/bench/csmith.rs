//! Random programs, updated while they run.
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Result, ensure};
use testsuite::random::trial;

use crate::progress;
use crate::section::Section;

/// How often the state of a long run is told, in programs.
const TOLD_EVERY: usize = 50;

pub(crate) fn measure(programs: u64, seed: u64, jobs: usize) -> Result<Section> {
    let begin = Instant::now();
    // A failure is told when it comes: a long run may be ended before its end.
    let told = AtomicUsize::new(0);
    let tally = trial::run(programs, seed, jobs, &|tally| {
        for failure in tally.failures.iter().skip(told.swap(tally.failures.len(), Ordering::Relaxed)) {
            eprintln!("{failure}\n");
        }
        if tally.programs % TOLD_EVERY == 0 {
            progress(&format!(
                "{} programs, {} patched, {} wrong",
                tally.programs,
                tally.patched,
                tally.failures.len()
            ));
        }
    })?;
    let section = Section {
        title: "Random programs",
        command: format!("dsu-bench csmith --programs {programs} --seed {seed} --jobs {jobs}"),
        note: format!(
            "csmith's programs, {} mutants each, applied to a running process, compared with a fresh one of plain \
             clang's, and reverted; {:.0} s.",
            trial::MUTANTS,
            begin.elapsed().as_secs_f64()
        ),
        header: ["what", "number"].map(str::to_owned).to_vec(),
        rows: tally.rows().into_iter().map(Vec::from).collect(),
    };
    ensure!(tally.failures.is_empty(), "{} mutants went wrong:\n{}", tally.failures.len(), section.markdown());
    Ok(section)
}
