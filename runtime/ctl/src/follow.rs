//! Follows updates until their last threads have moved. The process is asked again and again; nothing in it waits
//! for us, and it does not matter if we stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use signal_hook::consts::SIGINT;

use crate::error::Error;
use crate::progress::Progress;
use crate::status;
use crate::target::Target;
use crate::threads;

/// Pauses between two questions: short at first, for most updates take milliseconds.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// What is true when an update is complete.
pub(crate) enum Goal {
    /// The patch with this checksum is there, applied as this generation or a later one.
    Applied { checksum: String, generation: u64 },
    /// None of the patches with these checksums is in effect.
    Gone { checksums: Vec<String> },
}

impl Goal {
    /// Of a revert that is asked for in this state.
    pub(crate) fn revert(before: &Value) -> Self {
        let checksum = |patch: &Value| patch["checksum"].as_str().map(str::to_owned);
        Self::Gone { checksums: status::in_effect(before).filter_map(checksum).collect() }
    }

    /// Of the apply with this answer.
    pub(crate) fn apply(document: &Value) -> Self {
        let checksum = document["checksum"].as_str().unwrap_or_default().to_owned();
        let already = document["already"] == true;
        let generation = if already { 0 } else { document["generation"].as_u64().unwrap_or_default() };
        Self::Applied { checksum, generation }
    }

    /// When it is met, the generation with which it was.
    fn met(&self, status: &Value) -> Option<u64> {
        match self {
            Self::Applied { checksum, generation } => {
                let same = |patch: &&Value| patch["checksum"] == **checksum;
                let generations = status::patches(status).filter(same).filter_map(|patch| patch["generation"].as_u64());
                generations.filter(|found| found >= generation).max()
            }
            Self::Gone { checksums } => {
                let left = |patch: &Value| patch["checksum"].as_str().is_some_and(|c| checksums.iter().any(|g| g == c));
                if status::in_effect(status).any(left) { None } else { status["generation"].as_u64() }
            }
        }
    }
}

/// An update of one process that is being followed.
pub(crate) struct Follow {
    /// The process.
    pub(crate) target: Target,
    /// Answer to the request, completed when the update is over.
    pub(crate) document: Value,
    /// How it ended; nothing while it goes on.
    pub(crate) end: Option<Result<End, Error>>,
    /// The last status in which it went its own way: whom it waits for.
    pub(crate) last: Value,
    goal: Goal,
    begin: Instant,
    committed: Instant,
    /// Which way threads go; the other way is back.
    turned: Option<bool>,
}

/// How an update ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Complete,
    TurnedBack,
}

impl Follow {
    /// Follows what `document` says has begun.
    pub(crate) fn new(target: Target, document: Value, goal: Goal) -> Self {
        // What the process calls turned back, is what a revert wants.
        let turned = matches!(goal, Goal::Applied { .. }).then_some(false);
        let end = (document["complete"] == true).then_some(Ok(End::Complete));
        let (begin, committed) = (Instant::now(), Instant::now());
        Self { target, document, end, last: Value::Null, goal, begin, committed, turned }
    }

    /// Since the request was answered.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    fn look(&mut self) -> Option<Result<End, Error>> {
        let status = match status::ask(&self.target) {
            Ok(status) => status,
            Err(Error::NoProcess(pid)) => return Some(Err(Error::Ended(pid))),
            Err(error) => return Some(Err(error)),
        };
        let (moving, met) = (status["transition"].clone(), self.goal.met(&status));
        if moving.is_null() {
            return Some(match met {
                Some(_) => Ok(self.complete(&status)),
                None if status["images"] == 0 => Err(Error::Replaced(self.target.pid)),
                None => Ok(End::TurnedBack),
            });
        }
        let turned_back = moving["turned_back"] == true;
        let is_another = met.is_some_and(|met| moving["to"].as_u64() > Some(met));
        if is_another && matches!(self.goal, Goal::Applied { .. }) && !turned_back {
            return Some(Ok(self.complete(&status))); // The next update has begun, so this one is over.
        }
        if *self.turned.get_or_insert(turned_back) == turned_back {
            let elapsed = Duration::from_nanos(moving["elapsed_ns"].as_u64().unwrap_or_default());
            self.committed = Instant::now().checked_sub(elapsed).unwrap_or(self.begin);
            self.last = status;
        }
        None
    }

    /// Notes how long it took. The last thread moved between two looks; when exactly, the threads say themselves.
    fn complete(&mut self, status: &Value) -> End {
        let all = self.committed.elapsed();
        let known = Duration::from_nanos(self.last["transition"]["elapsed_ns"].as_u64().unwrap_or_default());
        let since = threads::of(status).iter().filter_map(|thread| thread["since_ns"].as_u64());
        let last_move = since.map(Duration::from_nanos).filter(|since| *since <= all).min();
        let took = last_move.map_or(all, |since| all - since).max(known);
        self.document["complete"] = true.into();
        self.document["queued"] = false.into();
        self.document["took_ns"] = (took.as_nanos() as u64).into();
        self.document["threads"] = threads::of(status).len().into();
        End::Complete
    }
}

/// Waits for the end of all of them.
///
/// # Errors
/// When Ctrl-C ends the wait.
pub(crate) fn all(follows: &mut [Follow]) -> Result<(), Error> {
    if follows.iter().all(|follow| follow.end.is_some()) {
        return Ok(());
    }
    let interrupted = watch_for_interrupt();
    let mut progress = Progress::new();
    let mut pause = FIRST_PAUSE;
    loop {
        for follow in follows.iter_mut().filter(|follow| follow.end.is_none()) {
            follow.end = follow.look();
        }
        if follows.iter().all(|follow| follow.end.is_some()) {
            return Ok(());
        }
        if interrupted.load(Ordering::Relaxed) {
            return Err(Error::Interrupted(go_on(follows)));
        }
        progress.show(follows);
        sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Set by Ctrl-C; a second one ends dsuctl as usual.
pub(crate) fn watch_for_interrupt() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    // Without a handler, Ctrl-C ends dsuctl without these words: no harm.
    let _first = signal_hook::flag::register_conditional_default(SIGINT, Arc::clone(&flag));
    let _second = signal_hook::flag::register(SIGINT, Arc::clone(&flag));
    flag
}

fn go_on(follows: &[Follow]) -> String {
    let moving = follows.iter().filter(|follow| follow.end.is_none());
    let pids: Vec<String> = moving.map(|follow| follow.target.pid.to_string()).collect();
    let (processes, pid) = match &pids[..] {
        [pid] => (format!("process `{pid}`"), pid.as_str()),
        pids => (format!("processes {}", pids.join(", ")), "PID"),
    };
    format!(
        "no longer waiting; the update of {processes} goes on: `dsuctl status {pid} --watch` follows it, \
         `dsuctl revert {pid}` takes it back"
    )
}
