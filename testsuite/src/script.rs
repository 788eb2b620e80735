//! The steps of a case with the live, instrumented process.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::build::{Flavour, Scene};
use crate::config::{Consistency, Step};
use crate::expectation;
use crate::live::Live;
use crate::process::Outcome;

/// A line that was sent, the version that had to answer, and its answer.
#[derive(Debug)]
pub struct Exchange {
    /// The line.
    pub line: String,
    /// `v1`, or the version that the last update brought.
    pub version: String,
    /// The reply.
    pub reply: Vec<String>,
}

/// The version of answers after a `RunTool` that applies patches itself: no oracle knows them.
pub const BY_HAND: &str = "by hand";

/// Exit code of dsuctl for a program without quiescence points.
const NO_POINTS: i32 = 38;
/// Longest time until the last thread has moved.
const UPDATE_LIMIT: &str = "10s";

struct Session<'a> {
    scene: &'a Scene<'a>,
    run_dir: &'a Path,
    live: Live,
    version: String,
    exchanges: Vec<Exchange>,
    tool: Option<Outcome>,
    /// The program cannot be updated this way, and has said so: the rest of the script is for others.
    is_over: bool,
}

/// Runs the whole script; sockets go to `run_dir`. What was said is returned for the oracle.
///
/// # Errors
/// When a step does not go as the case says.
pub fn run(scene: &Scene<'_>, run_dir: &Path) -> Result<Vec<Exchange>> {
    let mut command = Command::new(scene.program(Flavour::Dsu, "v1"));
    command.args(&scene.config.args).current_dir(scene.dir(Flavour::Dsu, "v1"));
    command.env("DSU_RUNTIME_DIR", run_dir).envs(scene.config.env.iter().map(|(name, value)| (name, value)));
    scene.transcript.note(format!("{}   # PID", crate::process::shell_line(&command)));
    let live = Live::start(&mut command, &scene.root.join("stderr.txt"))?;
    let version = "v1".to_string();
    let mut session = Session { scene, run_dir, live, version, exchanges: Vec::new(), tool: None, is_over: false };
    let steps = &scene.config.steps;
    for (at, step) in steps.iter().enumerate() {
        session.step(step, &steps[at + 1..]).with_context(|| format!("step {} `{step:?}`", at + 1))?;
        if session.is_over {
            return Ok(session.exchanges);
        }
    }
    let end = session.live.finish()?;
    ensure!(
        end.code == scene.config.exit,
        "exit code {}, expected {}; stderr: {}",
        end.code,
        scene.config.exit,
        end.stderr
    );
    ensure!(end.stderr.is_empty(), "the process wrote on stderr: {}", end.stderr);
    Ok(session.exchanges)
}

impl Session<'_> {
    fn step(&mut self, step: &Step, rest: &[Step]) -> Result<()> {
        match step {
            Step::Send(line) => self.send(line),
            Step::Expect(line) => {
                let reply = self.last_reply()?;
                ensure!(reply.contains(line), "not in the reply {reply:?}");
                Ok(())
            }
            Step::Reject(line) => {
                let reply = self.last_reply()?;
                ensure!(!reply.contains(line), "in the reply {reply:?}");
                Ok(())
            }
            Step::Update { version, file } => {
                let patch = self.patch_path(if file.is_empty() { version } else { file });
                self.update(version, &patch)
            }
            Step::Revert(version) => self.revert(version.as_deref()),
            Step::ApplyFails { patch, code, message } => {
                let patch = self.patch_path(patch);
                let outcome = self.apply(&patch, &[])?;
                one_line_error(&outcome, *code, message)
            }
            Step::RevertFails { code, message } => {
                let outcome = self.dsuctl(&["revert", &self.pid()])?;
                one_line_error(&outcome, *code, message)
            }
            Step::RunTool(shell) => self.run_tool(shell, rest),
            Step::ToolExit(code) => {
                let tool = self.last_tool()?;
                ensure!(tool.code == Some(*code), "{}", tool.said());
                Ok(())
            }
            Step::ToolError { code, message } => one_line_error(self.last_tool()?, *code, message),
            Step::ToolOut(fragment) => {
                let tool = self.last_tool()?;
                ensure!(tool.said().contains(fragment), "not in its output: {}", tool.said());
                Ok(())
            }
            Step::ToolReject(fragment) => {
                let tool = self.last_tool()?;
                ensure!(!tool.said().contains(fragment), "in its output: {}", tool.said());
                Ok(())
            }
        }
    }

    fn send(&mut self, line: &str) -> Result<()> {
        self.scene.transcript.note(format!("# type: {line}"));
        let reply = self.live.send(line)?;
        self.exchanges.push(Exchange { line: line.into(), version: self.version.clone(), reply });
        Ok(())
    }

    /// Applies the patch to `version`, and checks what dsuctl and the process say about it.
    fn update(&mut self, version: &str, patch: &Path) -> Result<()> {
        if self.scene.consistency == Some(Consistency::Thread) && self.points()? == 0 {
            self.is_over = true;
            return one_line_error(&self.apply(patch, &[])?, NO_POINTS, "no quiescence points");
        }
        let applied = json(&self.apply(patch, &["--json", "--timeout", UPDATE_LIMIT])?)?;
        ensure!(applied["pid"] == self.live.pid(), "apply speaks of another process: {applied}");
        let functions = applied["functions"].as_array().map_or(0, Vec::len);
        ensure!(functions > 0, "apply names no function: {applied}");
        let generation = self.status()?["generation"].clone();
        ensure!(applied["generation"] == generation, "apply says {applied}, status says generation {generation}");
        self.version = version.into();
        Ok(())
    }

    /// To the patch before, which must have brought `version`; to v1 and the base when there is none.
    fn revert(&mut self, version: Option<&str>) -> Result<()> {
        let (pid, all) = (self.pid(), if version.is_none() { &["--all"][..] } else { &[] });
        json(&self.dsuctl(&[&["revert", &pid, "--json"], all].concat())?)?;
        let status = self.status()?;
        let modules = status["modules"].as_array().context("status has no modules")?;
        let redirected = |m: &Value| m["redirected"].as_array().is_some_and(|r| !r.is_empty());
        let version = version.unwrap_or("v1");
        let expected = version != "v1";
        ensure!(modules.iter().any(redirected) == expected, "after the revert to {version}: {status}");
        self.version = version.into();
        Ok(())
    }

    fn run_tool(&mut self, shell: &str, rest: &[Step]) -> Result<()> {
        let mut command = self.scene.shell(Flavour::Dsu, "v1", shell);
        command.env("DSU_RUNTIME_DIR", self.run_dir).env("PID", self.pid());
        for (name, version) in [("V1", "v1"), ("V2", "v2")] {
            command.env(name, self.scene.module(Flavour::Dsu, version));
        }
        command.env("PATCH", expectation::patch_file(self.scene, "v2"));
        let outcome = self.scene.transcript.run(&mut command)?;
        let exit_is_stated = rest.iter().take_while(|step| step.is_tool_check()).any(Step::states_exit);
        if !exit_is_stated {
            ensure!(outcome.code == Some(0), "{}", outcome.said());
        }
        self.tool = Some(outcome);
        if shell.contains("dsuctl apply") {
            // Which of the processes runs what is from now on the case's own affair.
            self.version = BY_HAND.into();
        }
        Ok(())
    }

    /// Quiescence points of all modules.
    fn points(&self) -> Result<u64> {
        let status = self.status()?;
        let modules = status["modules"].as_array().context("status has no modules")?;
        Ok(modules.iter().filter_map(|module| module["points"].as_u64()).sum())
    }

    fn status(&self) -> Result<Value> {
        json(&self.dsuctl(&["status", &self.pid(), "--json"])?)
    }

    fn apply(&self, patch: &Path, more: &[&str]) -> Result<Outcome> {
        let (pid, patch) = (self.pid(), patch.to_string_lossy());
        let consistency = self.scene.consistency.iter().flat_map(|consistency| consistency.arguments());
        let args: Vec<&str> =
            ["apply", &pid, &patch].into_iter().chain(consistency).chain(more.iter().copied()).collect();
        self.dsuctl(&args)
    }

    fn dsuctl(&self, args: &[&str]) -> Result<Outcome> {
        let mut command = Command::new(self.scene.tools.path("dsuctl"));
        self.scene.transcript.run(command.args(args).env("DSU_RUNTIME_DIR", self.run_dir))
    }

    /// `vN` is the patch to it, anything else a file in the folder of v1.
    fn patch_path(&self, patch: &str) -> PathBuf {
        let is_version = patch.strip_prefix('v').is_some_and(|number| number.parse::<u32>().is_ok());
        if is_version {
            expectation::patch_file(self.scene, patch)
        } else {
            self.scene.dir(Flavour::Dsu, "v1").join(patch)
        }
    }

    fn pid(&self) -> String {
        self.live.pid().to_string()
    }

    fn last_reply(&self) -> Result<&Vec<String>> {
        Ok(&self.exchanges.last().context("no `Send` before it")?.reply)
    }

    fn last_tool(&self) -> Result<&Outcome> {
        self.tool.as_ref().context("no `RunTool` before it")
    }
}

/// The document that a dsuctl with `--json` printed.
fn json(outcome: &Outcome) -> Result<Value> {
    ensure!(outcome.code == Some(0), "{}", outcome.said());
    serde_json::from_str(&outcome.stdout).with_context(|| outcome.said())
}

/// The contract of every error: its own exit code, and one line that names the thing and the way out.
fn one_line_error(outcome: &Outcome, code: i32, message: &str) -> Result<()> {
    ensure!(outcome.code == Some(code), "expected exit code {code}, got {}", outcome.said());
    let lines: Vec<_> = outcome.stderr.lines().collect();
    let [line] = lines[..] else { bail!("expected one line on stderr, got {}", outcome.said()) };
    ensure!(line.contains(message), "`{message}` is not in `{line}`");
    Ok(())
}
