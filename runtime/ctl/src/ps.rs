//! `ps`: the processes that can be updated.

use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

use crate::status;
use crate::style::Table;
use crate::target::{Target, remove_stale_sockets};
use crate::tree;

/// How long a process may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Processes that are asked at a time.
const AT_ONCE: usize = 512;

/// All processes with a runtime, in the order of their numbers or children below their parents; those that do not
/// answer come with the reason.
pub(crate) fn list(as_tree: bool) -> anyhow::Result<Value> {
    for path in remove_stale_sockets() {
        anstream::eprintln!("removed `{}`: its process is gone", path.display());
    }
    let mut forest = tree::forest().context("failed to read directory `/proc`")?;
    if !as_tree {
        forest.sort_by_key(|(_, target)| target.pid);
    }
    forest.iter_mut().for_each(|(_, target)| target.patience = PATIENCE);
    let mut documents = ask_all(&forest);
    for (document, (depth, target)) in documents.iter_mut().zip(&forest) {
        document["parent"] = target.parent.into();
        document["depth"] = (if as_tree { *depth } else { 0 }).into();
    }
    Ok(documents.into())
}

/// Asks all at once, for one that is slow must not keep the others waiting.
fn ask_all(forest: &[(usize, Target)]) -> Vec<Value> {
    let ask = |target: &Target| {
        status::ask(target).unwrap_or_else(|error| {
            json!({
                "pid": target.pid, "command": target.command, "error": error.to_string(), "code": error.exit_code(),
            })
        })
    };
    let mut documents = Vec::new();
    for some in forest.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            let asked: Vec<_> = some.iter().map(|(_, target)| scope.spawn(move || ask(target))).collect();
            documents.extend(asked.into_iter().map(|thread| thread.join().expect("a panic aborts the process")));
        });
    }
    documents
}

/// One line for each.
pub(crate) fn show(document: &Value) -> String {
    let processes = document.as_array().map(Vec::as_slice).unwrap_or_default();
    if processes.is_empty() {
        return "no updatable process; build programs with `dsu-cc`\n".to_owned();
    }
    let mut table = Table::new(["PID", "COMMAND", "GENERATION", "THREADS", "FUNCTIONS", "PATCHES"]);
    for process in processes {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let indent = "  ".repeat(process["depth"].as_u64().unwrap_or_default() as usize);
        let (pid, command) = (process["pid"].to_string(), format!("{indent}{}", text(&process["command"])));
        if !process["error"].is_null() {
            table.row([pid, command, "-".into(), "-".into(), "-".into(), text(&process["error"])]);
            continue;
        }
        let modules = process["modules"].as_array().map(Vec::as_slice).unwrap_or_default();
        let functions: u64 = modules.iter().filter_map(|module| module["functions"].as_u64()).sum();
        let patches: Vec<String> = status::in_effect(process).map(|patch| text(&patch["name"])).collect();
        let patches = if patches.is_empty() { "-".to_owned() } else { patches.join(" ") };
        let generation = process["generation"].to_string();
        table.row([pid, command, generation, threads(process), functions.to_string(), patches]);
    }
    table.to_string()
}

/// How many threads it has, and how many of them have moved while an update is moving them.
fn threads(process: &Value) -> String {
    let all = crate::threads::of(process).len();
    match (all, process["transition"].is_null()) {
        (0, _) => "-".to_owned(),
        (_, true) => all.to_string(),
        (_, false) => format!("{}/{all} moved", all - crate::threads::waiting(process).len()),
    }
}
