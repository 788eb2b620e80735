//! Instructions retired: exact, so one run says it.
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use testsuite::real::command::run;
use testsuite::real::compiler::Flavor;
use testsuite::real::sqlite;
use testsuite::real::subject::Version;

use crate::progress;
use crate::section::Section;

pub(crate) fn measure(rows: u32) -> Result<Section> {
    let mut plain = None;
    let mut table = Vec::new();
    for flavor in Flavor::ALL {
        progress(&format!("building SQLite, {}", flavor.name()));
        let executable = sqlite::cached_build(Version::Old, flavor)?;
        progress(&format!("counting its instructions, {}", flavor.name()));
        let (instructions, result) = count(&executable, rows)?;
        let (plain_instructions, plain_result) = plain.get_or_insert((instructions, result.clone()));
        ensure!(result == *plain_result, "SQLite computes something else as {} build", flavor.name());
        let ratio = instructions as f64 / *plain_instructions as f64;
        table.push(vec![flavor.name().to_owned(), instructions.to_string(), format!("{ratio:.5}")]);
    }
    Ok(Section {
        title: "Instructions retired, SQLite",
        command: format!("dsu-bench instructions --rows {rows}"),
        note: "callgrind's count of the whole process, start and runtime thread included; never patched.".to_owned(),
        header: ["build", "instructions", "ratio to plain"].map(str::to_owned).to_vec(),
        rows: table,
    })
}

/// Instructions and what the program printed.
fn count(executable: &Path, rows: u32) -> Result<(u64, String)> {
    let sockets = tempfile::tempdir()?;
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(executable).arg(rows.to_string());
    valgrind.env("DSU_RUNTIME_DIR", sockets.path());
    let output = run(&mut valgrind, &[0])?.0;
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().find(|line| line.contains("Collected : ")).context("callgrind collected nothing")?;
    let number = line.rsplit(' ').next().unwrap_or_default();
    Ok((number.parse()?, String::from_utf8_lossy(&output.stdout).into_owned()))
}
