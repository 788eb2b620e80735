//! Runs a command with a time limit and remembers it, so that a failing test can say how to run it again.

use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

/// Longest time for a compiler, patchgen or dsuctl on the small programs of the cases.
pub const TOOL_LIMIT: Duration = Duration::from_secs(60);

/// How a command ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Both outputs, for a message.
    pub fn said(&self) -> String {
        format!("exit code {}\n{}{}", self.code.map_or("none".into(), |c| c.to_string()), self.stdout, self.stderr)
    }
}

/// The commands of one test, in order, as a shell would take them.
#[derive(Debug, Default)]
pub struct Transcript {
    lines: RefCell<Vec<String>>,
}

impl Transcript {
    /// Runs `command` to its end, at most [`TOOL_LIMIT`].
    ///
    /// # Errors
    /// When it cannot be started, or is killed for taking too long.
    pub fn run(&self, command: &mut Command) -> Result<Outcome> {
        self.note(shell_line(command));
        let mut child = start(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
        let code = match wait(&mut child, TOOL_LIMIT)? {
            Some(status) => status.code(),
            None => {
                kill_group(child.id());
                child.wait().context("failed to reap a killed command")?;
                bail!("{} took more than {} s and was killed", shell_line(command), TOOL_LIMIT.as_secs());
            }
        };
        let text = |reader: std::thread::JoinHandle<Vec<u8>>| -> String {
            String::from_utf8_lossy(&reader.join().expect("the reader thread does not panic")).into_owned()
        };
        Ok(Outcome { code, stdout: text(stdout), stderr: text(stderr) })
    }

    /// Runs `command`, which has to succeed.
    ///
    /// # Errors
    /// As [`Transcript::run`], and when it does not exit with 0.
    pub fn must(&self, command: &mut Command) -> Result<Outcome> {
        let outcome = self.run(command)?;
        if outcome.code != Some(0) {
            bail!("{} failed: {}", shell_line(command), outcome.said());
        }
        Ok(outcome)
    }

    /// Adds a line that is not a command of its own: what was typed, what happened.
    pub fn note(&self, line: String) {
        self.lines.borrow_mut().push(line);
    }

    /// All of it.
    pub fn text(&self) -> String {
        self.lines.borrow().join("\n")
    }
}

/// Starts `command` as the leader of a process group of its own.
pub(crate) fn start(command: &mut Command) -> Result<Child> {
    command.process_group(0).spawn().with_context(|| format!("failed to start {}", shell_line(command)))
}

/// Waits for the end of `child`, at most `limit`; `None` when it still runs.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait().context("failed to wait for a process")? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

/// Reads a pipe to its end on a thread of its own, so that a full pipe never blocks the writer.
fn drain(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // An error means that the process is gone; what came before it still counts.
            pipe.read_to_end(&mut bytes).ok();
        }
        bytes
    })
}

/// Kills a process group that [`start`] made, children of the program included.
pub(crate) fn kill_group(leader: u32) {
    let Some(leader) = i32::try_from(leader).ok().and_then(Pid::from_raw) else { return };
    // Nothing left to kill is as good.
    kill_process_group(leader, Signal::KILL).ok();
}

/// What still runs of a process group whose leader has ended, after at most `limit`: a child that ends because its parent
/// did ends a little later.
pub(crate) fn left_of(leader: u32, limit: Duration) -> Vec<String> {
    let end = Instant::now() + limit;
    loop {
        let left = group_members(leader);
        if left.is_empty() || Instant::now() >= end {
            return left;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The members of a process group that still run (zombies do not), as `pid (name)`.
fn group_members(leader: u32) -> Vec<String> {
    // Asking for one group is much cheaper than looking at every process there is.
    let group = i32::try_from(leader).ok().and_then(Pid::from_raw);
    if group.is_some_and(|group| test_kill_process_group(group) == Err(Errno::SRCH)) {
        return Vec::new();
    }
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let alive = |pid: &str| -> Option<String> {
        pid.parse::<u32>().ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (name, rest) = stat.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace();
        let (state, _parent, group) = (fields.next()?, fields.next()?, fields.next()?);
        (group == leader.to_string() && !"ZX".contains(state)).then(|| format!("{name})"))
    };
    processes.flatten().filter_map(|entry| alive(&entry.file_name().to_string_lossy())).collect()
}

/// A file's text, or nothing when it is not there.
pub(crate) fn text_of(path: &Path) -> String {
    let mut bytes = Vec::new();
    if let Ok(mut file) = File::open(path) {
        file.read_to_end(&mut bytes).ok();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `command` as one would type it: directory, environment, words.
pub fn shell_line(command: &Command) -> String {
    let mut line = String::new();
    if let Some(dir) = command.get_current_dir() {
        line += &format!("cd {} && ", quote(&dir.to_string_lossy()));
    }
    for (name, value) in command.get_envs() {
        // The search path is long, and the tools are called by their full paths.
        if let (false, Some(value)) = (name == "PATH", value) {
            line += &format!("{}={} ", name.to_string_lossy(), quote(&value.to_string_lossy()));
        }
    }
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    line + &words.map(|word| quote(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_pasted_into_a_shell() {
        let mut command = Command::new("cc");
        command.arg("it's").arg("-O2").env("A", "b c").current_dir("/tmp");
        assert_eq!(shell_line(&command), r"cd /tmp && A='b c' cc 'it'\''s' -O2");
    }

    #[test]
    fn outputs_and_code_are_kept() {
        let transcript = Transcript::default();
        let outcome =
            transcript.run(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"])).expect("it starts");
        assert_eq!((outcome.code, &*outcome.stdout, &*outcome.stderr), (Some(3), "out\n", "err\n"));
        assert_eq!(transcript.text(), "sh -c 'echo out; echo err >&2; exit 3'");
    }

    #[test]
    fn what_a_group_leaves_is_seen_unless_it_ends_soon() {
        let mut child = start(Command::new("sh").args(["-c", "sleep 60 & sleep 0.2 & exit"])).expect("it starts");
        child.wait().expect("it ends by itself");
        let left = left_of(child.id(), Duration::from_secs(1));
        assert!(matches!(&left[..], [one] if one.ends_with("(sleep)")), "{left:?}");
        kill_group(child.id());
        assert_eq!(left_of(child.id(), Duration::from_secs(10)), Vec::<String>::new());
    }
}
