//! Follows updates until their last threads have moved. The process is asked again and again; nothing in it waits
//! for us, and it does not matter if we stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use signal_hook::consts::SIGINT;

use crate::client;
use crate::error::Error;
use crate::progress::Progress;
use crate::status;
use crate::target::Target;
use crate::threads;

/// Pauses between two questions: short at first, for most updates take milliseconds.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// How long a cancelled update is followed until its threads are back.
const LONGEST_WAY_BACK: Duration = Duration::from_secs(5);
/// How many answers may be cut off before that is the end.
const LOST_MAX: u32 = 10;

/// What is true when an update is complete.
pub(crate) struct Goal {
    /// Checksum of the patch that is there then; none for a revert.
    checksum: Option<String>,
    /// Generation of the process then; a later one if further updates followed.
    generation: u64,
}

impl Goal {
    /// Of the apply or revert with this answer.
    pub(crate) fn of(document: &Value) -> Self {
        let checksum = document["checksum"].as_str().map(str::to_owned);
        Self { checksum, generation: document["generation"].as_u64().unwrap_or_default() }
    }

    /// Whether a process that moves no threads has met it.
    fn is_met(&self, status: &Value) -> bool {
        let reached = |holder: &Value| holder["generation"].as_u64() >= Some(self.generation);
        match &self.checksum {
            Some(checksum) => status::patches(status).any(|patch| patch["checksum"] == **checksum && reached(patch)),
            None => reached(status),
        }
    }

    /// Whether an update is one that came after it.
    fn is_before(&self, moving: &Value) -> bool {
        moving["turned_back"] != true && moving["from"].as_u64() >= Some(self.generation)
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
    /// The direction in which threads are to go: whether the process calls the update cancelled.
    cancelled: Option<bool>,
    /// Since when they go in the other direction.
    going_back: Option<Instant>,
    /// Answers that were cut off.
    lost: u32,
}

/// How an update ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Complete,
    Cancelled,
}

impl Follow {
    /// Follows what `document` says has begun.
    pub(crate) fn new(target: Target, document: Value) -> Self {
        let goal = Goal::of(&document);
        // What the process calls cancelled, is what a revert wants.
        let cancelled = goal.checksum.is_some().then_some(false);
        // Threads tell how long it took, even if that was no time at all.
        let asks_threads = document["consistency"] == "thread" && document["already"] != true;
        let end = (document["complete"] == true && !asks_threads).then_some(Ok(End::Complete));
        let (begin, committed) = (Instant::now(), Instant::now());
        Self { target, document, end, last: Value::Null, goal, begin, committed, cancelled, going_back: None, lost: 0 }
    }

    /// Since the request was answered.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    fn look(&mut self) -> Option<Result<End, Error>> {
        let status = match status::ask(&self.target) {
            Ok(status) => status,
            Err(Error::NoProcess(pid)) => return Some(Err(Error::Ended(pid))),
            // It is about to end, or to become another program: the next look tells.
            Err(Error::NoAnswer { cause, .. }) if client::is_lost(&cause) && self.lost < LOST_MAX => {
                self.lost += 1;
                return None;
            }
            Err(error) => return Some(Err(error)),
        };
        let moving = &status["transition"];
        if moving.is_null() {
            return Some(match self.goal.is_met(&status) {
                true => Ok(self.complete(&status)),
                // A revert would have had a generation of its own.
                false if status["generation"].as_u64() == Some(self.goal.generation) => {
                    Err(Error::Closed(self.target.pid))
                }
                false if status["images"] == 0 => Err(Error::Replaced(self.target.pid)),
                false => Ok(End::Cancelled),
            });
        }
        if self.goal.is_before(moving) {
            return Some(Ok(self.complete(&status)));
        }
        let cancelled = moving["turned_back"] == true;
        if *self.cancelled.get_or_insert(cancelled) != cancelled {
            // Whoever asked has waited for long enough; threads go back without us.
            let since = *self.going_back.get_or_insert_with(Instant::now);
            if since.elapsed() <= LONGEST_WAY_BACK {
                return None;
            }
            self.document["going_back"] = true.into();
            return Some(Ok(End::Cancelled));
        } else {
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
        let elapsed = follows.iter().filter(|follow| follow.end.is_none()).map(Follow::elapsed).max();
        progress.show(elapsed.unwrap_or_default(), || line(follows));
        sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn line(follows: &[Follow]) -> String {
    let moving: Vec<&Follow> = follows.iter().filter(|follow| follow.end.is_none()).collect();
    let elapsed = moving.iter().map(|follow| follow.elapsed()).max().unwrap_or_default();
    let processes = match follows.len() {
        1 => String::new(),
        many => format!("{} of {many} processes done, ", many - moving.len()),
    };
    let statuses: Vec<&Value> = moving.iter().map(|follow| &follow.last).collect();
    format!("{processes}{} after {}{}", moved(&statuses), threads::duration(elapsed), late(&statuses))
}

fn moved(statuses: &[&Value]) -> String {
    let all: usize = statuses.iter().map(|status| threads::of(status).len()).sum();
    let waiting: usize = statuses.iter().map(|status| threads::waiting(status).len()).sum();
    format!("{} moved", threads::count(all - waiting, all))
}

fn late(statuses: &[&Value]) -> String {
    let waiting: Vec<&Value> = statuses.iter().flat_map(|status| threads::waiting(status)).collect();
    if waiting.is_empty() { String::new() } else { format!("; waiting for {}", threads::sentence(&waiting)) }
}

/// The wait of an apply that is queued behind another update.
pub(crate) struct Line<'t> {
    target: &'t Target,
    begin: Instant,
    interrupted: Arc<AtomicBool>,
    progress: Progress,
}

impl<'t> Line<'t> {
    pub(crate) fn new(target: &'t Target) -> Self {
        Self { target, begin: Instant::now(), interrupted: watch_for_interrupt(), progress: Progress::new() }
    }

    /// Shows whom the other update waits for; false once Ctrl-C was pressed.
    pub(crate) fn wait(&mut self) -> bool {
        let target = self.target;
        self.progress.show(self.begin.elapsed(), || {
            // It is only for the eye.
            let status = status::ask(target).unwrap_or_default();
            format!("queued behind another update: {}{}", moved(&[&status]), late(&[&status]))
        });
        !self.interrupted.load(Ordering::Relaxed)
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
