//! A program under test while it runs. It answers each line on stdin with lines on stdout, the last of them a
//! single dot (see `cases/include/serve.h`); the first dot says that it is ready.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process::{kill_group, left_of, shell_line, start, text_of, wait};

/// Longest time for one reply.
const REPLY_LIMIT: Duration = Duration::from_secs(20);
/// Longest time from the end of stdin to the end of the program.
const EXIT_LIMIT: Duration = Duration::from_secs(10);

/// A running program; dropping it kills it and its children.
#[derive(Debug)]
pub struct Live {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    stderr: PathBuf,
}

/// How a program ended.
#[derive(Debug)]
pub struct End {
    /// Exit code, or 128 + signal.
    pub code: i32,
    /// What it wrote on stderr.
    pub stderr: String,
}

impl Live {
    /// Starts `command` and waits until it is ready; its stderr goes to the file `stderr`.
    ///
    /// # Errors
    /// When it does not start, or does not say that it is ready.
    pub fn start(command: &mut Command, stderr: &Path) -> Result<Self> {
        let file = File::create(stderr).with_context(|| format!("failed to create `{}`", stderr.display()))?;
        let mut child = start(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(file))?;
        let stdout = child.stdout.take().context("stdout was piped")?;
        let stdin = child.stdin.take();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            // Ends with the program, or when nobody listens any more.
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut live = Self { child, stdin, lines, stderr: stderr.into() };
        live.reply().with_context(|| format!("{} is not ready", shell_line(command)))?;
        Ok(live)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Types `line`; the reply, without its dot.
    ///
    /// # Errors
    /// When the program has ended, or does not reply in time.
    pub fn send(&mut self, line: &str) -> Result<Vec<String>> {
        let stdin = self.stdin.as_mut().context("stdin is closed already")?;
        let written = writeln!(stdin, "{line}").and_then(|()| stdin.flush());
        written.ok();
        self.reply().with_context(|| format!("no reply to `{line}`"))
    }

    fn reply(&mut self) -> Result<Vec<String>> {
        let end = Instant::now() + REPLY_LIMIT;
        let mut reply = Vec::new();
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) if line == "." => return Ok(reply),
                Ok(line) => reply.push(line),
                Err(RecvTimeoutError::Timeout) => bail!(
                    "process {} hangs: after {} s it had said only {reply:?}; stderr: {}",
                    self.pid(),
                    REPLY_LIMIT.as_secs(),
                    text_of(&self.stderr)
                ),
                Err(RecvTimeoutError::Disconnected) => {
                    let end = wait(&mut self.child, EXIT_LIMIT)?.map_or("closed stdout".into(), |s| s.to_string());
                    bail!("the process ended ({end}) after saying {reply:?}; stderr: {}", text_of(&self.stderr));
                }
            }
        }
    }

    /// Closes stdin and waits for the end, that of its children included.
    ///
    /// # Errors
    /// When it does not end in time, or leaves a process behind.
    pub fn finish(mut self) -> Result<End> {
        drop(self.stdin.take());
        let Some(status) = wait(&mut self.child, EXIT_LIMIT)? else {
            bail!("process {} hangs: {} s after the end of its stdin it still runs", self.pid(), EXIT_LIMIT.as_secs());
        };
        let left = left_of(self.pid(), EXIT_LIMIT);
        if !left.is_empty() {
            bail!("it left processes behind: {}", left.join(", "));
        }
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
        Ok(End { code: code.context("neither exited nor killed")?, stderr: text_of(&self.stderr) })
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        kill_group(self.child.id());
        // Already reaped when it ended by itself.
        self.child.wait().ok();
    }
}
