//! Commands that have to succeed, the tools among them.
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::process::shell_line;
use crate::tools::Tools;

/// Runs a command to its end and tells how long it took; any other exit code than these is an error with what it said.
pub fn run(command: &mut Command, accepted: &[i32]) -> Result<(Output, Duration)> {
    let shown = shell_line(command);
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("failed to run `{shown}`"))?;
    ensure!(
        output.status.code().is_some_and(|code| accepted.contains(&code)),
        "`{shown}` ended with {}:\n{}{}",
        output.status,
        last_lines(&output.stdout),
        last_lines(&output.stderr),
    );
    Ok((output, start.elapsed()))
}

/// Runs `patchgen`; its exit code has to be one of `accepted`.
pub fn patchgen(arguments: &[&str], accepted: &[i32]) -> Result<(Output, Duration)> {
    run(Command::new(Tools::find()?.path("patchgen")).args(arguments), accepted)
}

/// Runs `dsuctl --json` on processes that were started with `sockets` as their folder.
pub fn dsuctl(sockets: &Path, arguments: &[&str]) -> Result<(Value, Duration)> {
    let (output, time) = dsuctl_ending(sockets, arguments, &[0])?;
    Ok((json(&output.stdout)?, time))
}

/// As [`dsuctl`]; its exit code has to be one of `accepted`.
pub fn dsuctl_ending(sockets: &Path, arguments: &[&str], accepted: &[i32]) -> Result<(Output, Duration)> {
    let mut command = Command::new(Tools::find()?.path("dsuctl"));
    run(command.args(arguments).arg("--json").env("DSU_RUNTIME_DIR", sockets), accepted)
}

/// What a tool printed under `--json`.
pub fn json(printed: &[u8]) -> Result<Value> {
    serde_json::from_slice(printed).with_context(|| format!("not JSON: {}", String::from_utf8_lossy(printed)))
}

/// Enough of a build's output to see why it failed.
fn last_lines(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().collect();
    let shown = &lines[lines.len().saturating_sub(15)..];
    shown.iter().map(|line| format!("    {line}\n")).collect()
}
