//! `apply` and `revert` from the request to the last thread, for a process or for a whole tree of them. A tree is
//! updated as a group: either all its processes run the patch in the end, or none that did not before.

use std::time::Duration;

use dsu_abi::wire::{Code, ConsistencyOverride};
use serde_json::{Value, json};

use crate::change;
use crate::cli::{Consistency, Patience, Scope};
use crate::error::Error;
use crate::follow::{self, End, Follow};
use crate::patch::Patch;
use crate::status;
use crate::style::hex;
use crate::target::Target;
use crate::threads;
use crate::tree;

/// How a patch is to be applied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) consistency: Option<Consistency>,
    pub(crate) patience: Patience,
    pub(crate) queue: bool,
}

/// Applies a patch, and waits until the last thread runs it unless told otherwise.
pub(crate) fn apply(scope: Scope, patch: &Patch, manner: Manner) -> Result<Value, Error> {
    let targets = members(scope)?;
    if scope.tree {
        check_all(scope, &targets, patch)?;
    }
    let mut group = Group { scope, patch, follows: Vec::new(), had_it: Vec::new() };
    let Patience { timeout, no_wait } = manner.patience;
    group.apply(targets, manner).map_err(|error| group.take_back(error))?;
    if !no_wait {
        follow::all(&mut group.follows)?;
        verdict(&mut group.follows, &format!("patch `{}`", patch.name), timeout)
            .map_err(|error| group.take_back(error))?;
    }
    Ok(documents(scope, group.follows))
}

/// Takes patches back, and waits until the last thread is back unless told otherwise.
pub(crate) fn revert(scope: Scope, to_base: bool, patience: Patience) -> Result<Value, Error> {
    let mut follows = Vec::new();
    for target in members(scope)? {
        match change::revert(&target, to_base, patience.timeout) {
            Ok(document) => follows.push(Follow::new(target, document)),
            Err(Error::Refused { code: Code::NothingApplied, .. }) if scope.tree => {}
            Err(_) if has_left(scope, &target) => {}
            Err(cause) if follows.is_empty() => return Err(cause),
            Err(cause) => return Err(with(cause, format!("reverted already: {}", pids(&follows)))),
        }
    }
    if follows.is_empty() {
        let message = format!("no patch is applied to process `{}` or its children; nothing to revert", scope.pid);
        return Err(Error::Refused { code: Code::NothingApplied, message });
    }
    if !patience.no_wait {
        follow::all(&mut follows)?;
        verdict(&mut follows, "the revert", patience.timeout)?;
    }
    for follow in &mut follows {
        // Gone by now, perhaps; then there is nothing to say.
        let now = status::ask(&follow.target).unwrap_or_default();
        follow.document["back_at"] = status::in_effect(&now).map(|patch| patch["name"].clone()).collect();
    }
    Ok(documents(scope, follows))
}

fn members(scope: Scope) -> Result<Vec<Target>, Error> {
    if scope.tree { tree::members(scope.pid) } else { Ok(vec![Target::find(scope.pid)?]) }
}

/// Whether it is a child of a tree that has ended meanwhile: such a one needs no update.
fn has_left(scope: Scope, target: &Target) -> bool {
    scope.tree && target.pid != scope.pid && Target::find(target.pid).is_err()
}

/// Whether the patch is for a module of each process; nothing has been changed yet.
fn check_all(scope: Scope, targets: &[Target], patch: &Patch) -> Result<(), Error> {
    let build = hex(&patch.build_id);
    for target in targets {
        let status = match status::ask(target) {
            Ok(status) => status,
            Err(_) if has_left(scope, target) => continue,
            Err(error) => return Err(error),
        };
        let mut modules = status["modules"].as_array().into_iter().flatten();
        if !modules.any(|module| module["build_id"] == *build) {
            let message = format!(
                "patch `{}` is for build `{build}`, which is not loaded in process `{}` (`{}`) of the tree; no process \
                 was changed: apply it to single processes",
                patch.name, target.pid, target.command
            );
            return Err(Error::Refused { code: Code::WrongBuildId, message });
        }
    }
    Ok(())
}

/// Processes that are given a patch together.
struct Group<'p> {
    scope: Scope,
    patch: &'p Patch,
    follows: Vec<Follow>,
    /// Those that ran the patch before we came.
    had_it: Vec<u32>,
}

impl Group<'_> {
    /// Parents first: a child that is forked meanwhile has the patch already, or is found by looking again.
    fn apply(&mut self, mut targets: Vec<Target>, manner: Manner) -> Result<(), Error> {
        let wish = match manner.consistency {
            None => ConsistencyOverride::None,
            Some(Consistency::Newest) => ConsistencyOverride::Newest,
            Some(Consistency::Thread) => ConsistencyOverride::Thread,
        };
        let request = change::request(wish, manner.patience.timeout, manner.queue);
        let mut first = true;
        loop {
            let mut changed = false;
            for target in targets {
                match change::apply(&target, self.patch, request) {
                    Ok(document) => {
                        let already = document["already"] == true;
                        changed |= !already;
                        if first && already {
                            self.had_it.push(target.pid);
                        }
                        self.follows.push(Follow::new(target, document));
                    }
                    Err(_) if self.has_left(&target) => {}
                    Err(error) => return Err(error),
                }
            }
            // Only a process without the patch forks one without it: when none is found any more, there is none.
            if !changed || !self.scope.tree {
                return Ok(());
            }
            first = false;
            targets = members(self.scope).unwrap_or_default();
            targets.retain(|target| !self.follows.iter().any(|follow| follow.target.pid == target.pid));
        }
    }

    fn has_left(&self, target: &Target) -> bool {
        has_left(self.scope, target)
    }

    /// After an error: takes the patch back wherever this apply, or a fork after it, has brought it.
    fn take_back(&self, cause: Error) -> Error {
        if !self.scope.tree {
            return cause;
        }
        let (mut back, mut failed) = (Vec::new(), Vec::new());
        for target in members(self.scope).unwrap_or_default() {
            if self.has_brought_it_to(&target) {
                match change::revert(&target, false, None) {
                    Ok(_) => back.push(target.pid.to_string()),
                    Err(error) => failed.push(error.to_string()),
                }
            }
        }
        let mut after = match back.len() {
            0 => "no other process was changed".to_owned(),
            1 => format!("taken back in process {}", back[0]),
            _ => format!("taken back in processes {}", back.join(", ")),
        };
        if !failed.is_empty() {
            after += &format!("; failed to take it back: {}", failed.join(", "));
        }
        with(cause, after)
    }
}

impl Group<'_> {
    /// Whether a process runs the patch, or moves to it, because of this apply.
    fn has_brought_it_to(&self, target: &Target) -> bool {
        let status = status::ask(target).unwrap_or_default();
        let moving = &status["transition"];
        let own = self.follows.iter().find(|follow| follow.target.pid == target.pid);
        let changed = own.map(|follow| &follow.document).filter(|document| document["already"] != true);
        let moves_there =
            changed.is_some_and(|own| moving["to"] == own["generation"] && moving["turned_back"] == false);
        let has_it = status::in_effect(&status).any(|applied| applied["checksum"] == *hex(&self.patch.checksum));
        let had_it = [target.pid, target.parent].iter().any(|pid| self.had_it.contains(pid));
        moves_there || has_it && (changed.is_some() || !had_it)
    }
}

fn with(cause: Error, after: String) -> Error {
    Error::Group { cause: Box::new(cause), after }
}

/// What the ends of all processes mean: a child of a tree may end, everything else that is not complete is an error.
fn verdict(follows: &mut [Follow], what: &str, timeout: Option<Duration>) -> Result<(), Error> {
    let many = follows.len() > 1;
    for follow in follows.iter_mut() {
        match follow.end.take() {
            Some(Ok(End::Cancelled)) => return Err(cancelled(follow, what, timeout)),
            Some(Err(Error::Ended(_))) if many => follow.document["ended"] = true.into(),
            Some(Err(error)) => return Err(error),
            Some(Ok(End::Complete)) | None => {}
        }
    }
    Ok(())
}

fn cancelled(follow: &mut Follow, what: &str, timeout: Option<Duration>) -> Error {
    let pid = follow.target.pid;
    let waiting = threads::waiting(&follow.last);
    let all = threads::of(&follow.last).len();
    let mut who = match waiting.len() {
        0 => String::new(),
        some => format!("; not moved: {} ({})", threads::count(some, all), threads::sentence(&waiting)),
    };
    if follow.document["going_back"] == true {
        who += &format!("; others are still going back (`dsuctl status {pid} --watch`)");
    }
    let message = match timeout {
        Some(timeout) if follow.elapsed() >= timeout => format!(
            "process `{pid}` cancelled {what} after {}{who}; give it longer with `--timeout`, or apply with \
             `--consistency newest`",
            threads::duration(timeout)
        ),
        _ => format!(
            "process `{pid}` cancelled {what} after {}, for somebody reverted it{who}",
            threads::duration(follow.elapsed())
        ),
    };
    follow.document["turned_back"] = true.into();
    follow.document["waiting"] = waiting.into_iter().cloned().collect();
    Error::Cancelled { message, document: Box::new(follow.document.clone()) }
}

fn pids(follows: &[Follow]) -> String {
    follows.iter().map(|follow| format!("process {}", follow.target.pid)).collect::<Vec<_>>().join(", ")
}

/// The document of the process, or of the tree's processes.
fn documents(scope: Scope, follows: Vec<Follow>) -> Value {
    let mut documents = follows.into_iter().map(|follow| follow.document);
    if scope.tree {
        json!({ "tree": scope.pid, "processes": documents.collect::<Vec<_>>() })
    } else {
        documents.next().unwrap_or_default()
    }
}

/// The document in words.
pub(crate) fn show(document: &Value) -> String {
    match document["processes"].as_array() {
        Some(processes) => processes.iter().map(change::show).collect(),
        None => change::show(document),
    }
}
