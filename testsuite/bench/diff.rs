//! How long `patchgen diff` takes on a unit as large as they come.
use anyhow::Result;
use testsuite::real::command::patchgen;
use testsuite::real::compiler::Flavor;
use testsuite::real::sqlite;
use testsuite::real::subject::Version;

use crate::progress;
use crate::section::{Section, median, range};

/// Exit codes of `patchgen diff`: differences shown, and no change.
const SHOWN: i32 = 0;
const NO_CHANGE: i32 = 3;

pub(crate) fn measure(rounds: u32) -> Result<Section> {
    progress("building SQLite, old and new");
    let old = sqlite::cached_build(Version::Old, Flavor::Armed)?.to_string_lossy().into_owned();
    let new = sqlite::cached_build(Version::New, Flavor::Armed)?.to_string_lossy().into_owned();
    let again = sqlite::cached_copy(Version::Old, Flavor::Armed, "second")?.to_string_lossy().into_owned();
    let mut rows = Vec::new();
    for (name, other, code) in [("one line changed", &new, SHOWN), ("same source, built twice", &again, NO_CHANGE)] {
        let mut seconds = Vec::new();
        for round in 0..rounds {
            progress(&format!("patchgen diff of SQLite, {name}, round {} of {rounds}", round + 1));
            seconds.push(patchgen(&["diff", &old, other, "--json"], &[code])?.1.as_secs_f64());
        }
        rows.push(vec![name.to_owned(), format!("{:.2}", median(&seconds)), range(&seconds, 2)]);
    }
    Ok(Section {
        title: "patchgen diff, two builds of SQLite",
        command: format!("dsu-bench diff --rounds {rounds}"),
        note: "Wall time of the whole command; at most 10 s on 2 cores is the goal.".to_owned(),
        header: ["builds", "seconds, median", "range"].map(str::to_owned).to_vec(),
        rows,
    })
}
