//! What it costs to make a patch: of one huge unit against compiling that unit, and of programs of many units, where
//! it has to follow the change and not the program.
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use testsuite::real::command::run;
use testsuite::real::compiler::Flavor;
use testsuite::real::sqlite;
use testsuite::real::subject::Version;
use testsuite::tools::{PLAIN_CC, Tools};

use crate::progress;
use crate::section::{Section, range};

/// Programs of so many units, of which one changes.
const UNITS: [usize; 3] = [10, 100, 1_000];

/// Processor time of a command and its children: unlike wall time, it says something on a busy machine.
fn processor_seconds(command: &mut Command) -> Result<f64> {
    let mut timed = Command::new("bash");
    timed.args(["-c", "TIMEFORMAT='seconds %U %S'; time \"$@\"", "-"]).arg(command.get_program());
    timed.args(command.get_args());
    if let Some(directory) = command.get_current_dir() {
        timed.current_dir(directory);
    }
    let (output, _) = run(&mut timed, &[0])?;
    let said = String::from_utf8_lossy(&output.stderr);
    let times = said.lines().rev().find_map(|line| line.strip_prefix("seconds ")).context("bash told no time")?;
    times.split(' ').map(|t| t.parse::<f64>().context("a time is a number")).sum()
}

/// Most memory that a process of this command itself had, in MiB.
fn peak_memory(command: &mut Command) -> Result<f64> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().context("failed to start a tool")?;
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0.0f64;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<f64>().ok());
        most = most.max(kilobytes.unwrap_or(0.0) / 1024.0);
        if let Some(end) = child.try_wait()? {
            ensure!(end.success(), "the tool ended with {end}");
            return Ok(most);
        }
        std::thread::sleep(Duration::from_millis(3));
    }
}

fn build_command(old: &Path, new: &Path, output: &Path) -> Result<Command> {
    let mut command = Command::new(Tools::find()?.path("patchgen"));
    command.arg("build").args([old, new]).arg("-o").arg(output);
    Ok(command)
}

/// The shortest of some runs, and all of them.
fn shortest(rounds: u32, mut measured: impl FnMut() -> Result<f64>) -> Result<(f64, Vec<f64>)> {
    let all: Vec<f64> = (0..rounds).map(|_| measured()).collect::<Result<_>>()?;
    Ok((all.iter().copied().fold(f64::INFINITY, f64::min), all))
}

/// One row per thing that was timed.
fn sqlite_rows(rounds: u32, folder: &Path) -> Result<Vec<Vec<String>>> {
    progress("building SQLite, old and new");
    let old = sqlite::cached_build(Version::Old, Flavor::Armed)?;
    let new = sqlite::cached_build(Version::New, Flavor::Armed)?;
    sqlite::write_source(Version::New, folder)?;
    let compile = || {
        progress("compiling SQLite with plain clang");
        let mut command = Command::new(PLAIN_CC);
        command.args(["-O2", "-DSQLITE_OMIT_LOAD_EXTENSION", "-c", "sqlite3.c", "-o", "sqlite3.o"]);
        processor_seconds(command.current_dir(folder))
    };
    let (plain, compiles) = shortest(rounds, compile)?;
    let patch = folder.join("fix.dsu");
    let make = || {
        progress("patchgen build of one line in SQLite");
        processor_seconds(&mut build_command(&old, &new, &patch)?)
    };
    let (made, makes) = shortest(rounds, make)?;
    let memory = peak_memory(&mut build_command(&old, &new, &patch)?)?;
    let seconds = |s: f64| format!("{s:.2}");
    Ok(vec![
        vec!["clang -O2 -c sqlite3.c".into(), seconds(plain), range(&compiles, 2), "1.00".into(), "-".into()],
        vec![
            "patchgen build, one line of it changed".into(),
            seconds(made),
            range(&makes, 2),
            format!("{:.2}", made / plain),
            format!("{memory:.0}"),
        ],
    ])
}

/// The source of one unit, 20 functions; `first` is a constant in the first of them.
fn write_unit(folder: &Path, unit: usize, first: usize) -> Result<String> {
    let mut text = String::from("#include <stdio.h>\n#include <string.h>\n");
    for function in 0..20 {
        let factor = if function == 0 { first } else { function };
        writeln!(
            text,
            "__attribute__((noinline)) int f{unit}_{function}(const char *s) {{\n    int sum = {factor};\n    \
             for (size_t i = 0; i < strlen(s); i++)\n        sum = sum * {} + s[i];\n    return sum;\n}}",
            function + 3
        )?;
    }
    let name = format!("u{unit}.c");
    fs::write(folder.join(&name), text)?;
    Ok(name)
}

/// Compiles these sources, and links the program.
fn make(folder: &Path, sources: &[String]) -> Result<()> {
    let script = "printf '%s\\n' \"$@\" | xargs -P 2 -n 20 \"$0\" -O1 -c && \"$0\" *.o -o app";
    let mut command = Command::new("sh");
    command.args(["-e", "-c", script]).arg(Tools::find()?.path("dsu-cc")).args(sources).current_dir(folder);
    run(&mut command, &[0]).context("the program cannot be built").map(drop)
}

/// A program of so many units in a folder of its own, with this constant in one of them; the executable.
fn build_program(folder: &Path, units: usize, first: usize) -> Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let mut calls = String::new();
    let mut sources = vec!["main.c".to_owned()];
    for unit in 0..units {
        sources.push(write_unit(folder, unit, if unit == 0 { first } else { 1 })?);
        writeln!(calls, "int f{unit}_0(const char *); int g{unit}(void) {{ return f{unit}_0(\"{unit}\"); }}")?;
    }
    fs::write(folder.join("main.c"), format!("{calls}int main(void) {{ return g0(); }}\n"))?;
    make(folder, &sources)?;
    Ok(folder.join("app"))
}

pub(crate) fn measure(rounds: u32) -> Result<Section> {
    let folder = tempfile::Builder::new().prefix("dsu-bench-").tempdir()?;
    let mut rows = sqlite_rows(rounds, folder.path())?;
    for units in UNITS {
        progress(&format!("building a program of {units} units, old and new"));
        // As two working copies are.
        let [old, new] = [("old", 1), ("new-copy", 7)]
            .map(|(place, first)| build_program(&folder.path().join(format!("{place}-{units}")), units, first));
        let (old, new, patch) = (old?, new?, folder.path().join("made.dsu"));
        let (made, makes) = shortest(rounds, || processor_seconds(&mut build_command(&old, &new, &patch)?))?;
        let memory = peak_memory(&mut build_command(&old, &new, &patch)?)?;
        let name = format!("patchgen build, {units} units, one changed");
        rows.push(vec![name, format!("{made:.2}"), range(&makes, 2), "-".into(), format!("{memory:.0}")]);
    }
    Ok(Section {
        title: "patchgen build: SQLite's one unit, and programs of 10, 100 and 1,000 units",
        command: format!("dsu-bench patch --rounds {rounds}"),
        note:
            "Processor time of a command with its children, shortest run. Goals: at most twice the plain compile, at \
               most 1,536 MiB; and for programs of many units, time that grows with the change, not with the program \
               (the builds are two working copies, in places of their own)."
                .to_owned(),
        header: ["command", "seconds", "range", "of the plain compile", "peak MiB"].map(str::to_owned).to_vec(),
        rows,
    })
}
