//! `status`: of a process or of a tree of them, once or until no update is moving threads any more.

use std::io::IsTerminal;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::cli::Scope;
use crate::error::Error;
use crate::follow::watch_for_interrupt;
use crate::status;
use crate::style::write;
use crate::target::Target;
use crate::{threads, tree};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);
/// Brings the cursor to the top left of a terminal, and clears what is below.
const CLEAR: &str = "\x1b[H\x1b[J";

/// The status: a document, or a list of them for a tree.
pub(crate) fn ask(scope: Scope) -> Result<Value, Error> {
    if !scope.tree {
        return status::ask(&Target::find(scope.pid)?);
    }
    let mut documents = Vec::new();
    for target in tree::members(scope.pid)? {
        match status::ask(&target) {
            Ok(document) => documents.push(document),
            // A child may end between the look at /proc and the question.
            Err(_) if target.pid != scope.pid && Target::find(target.pid).is_err() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(documents.into())
}

/// The document, or the list, in words.
pub(crate) fn show(document: &Value, all_threads: bool) -> String {
    each(document).map(|document| status::show(document, all_threads)).collect()
}

fn each(document: &Value) -> impl Iterator<Item = &Value> {
    let many = document.as_array();
    let one = if many.is_none() { Some(document) } else { None };
    many.into_iter().flatten().chain(one)
}

/// Shows it again and again: a terminal is kept up to date, anything else gets what is new.
pub(crate) fn run(scope: Scope, all_threads: bool, json: bool) -> anyhow::Result<()> {
    let interrupted = watch_for_interrupt();
    let terminal = std::io::stdout().is_terminal() && !json;
    let mut shown = None;
    loop {
        let document = ask(scope)?;
        let state = state(&document);
        if terminal || shown.as_ref() != Some(&state) {
            let text = if json { format!("{document}\n") } else { show(&document, all_threads) };
            write(&if terminal { format!("{CLEAR}{text}") } else { text })?;
        }
        shown = Some(state);
        let moving = each(&document).any(|document| !document["transition"].is_null());
        if !moving || interrupted.load(Ordering::Relaxed) {
            return Ok(());
        }
        sleep(PAUSE);
    }
}

/// What of a status is worth showing anew: everything but the times.
fn state(document: &Value) -> Vec<String> {
    let thread = |thread: &Value| format!("{} {} {}", thread["id"], thread["generation"], thread["words"]);
    let process = |document: &Value| {
        let moving = &document["transition"];
        let threads: Vec<String> = threads::of(document).iter().map(thread).collect();
        let shown =
            [&document["pid"], &document["generation"], &moving["to"], &moving["turned_back"], &moving["queued"]];
        format!("{shown:?} {threads:?}")
    };
    each(document).map(process).collect()
}
