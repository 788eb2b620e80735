//! `ps`: the processes that can be updated.

use anyhow::Context;
use serde_json::{Value, json};

use crate::status;
use crate::style::Table;
use crate::target::{Target, remove_stale_sockets};

/// All processes with a runtime; those that do not answer come with the reason.
pub(crate) fn list() -> anyhow::Result<Value> {
    for path in remove_stale_sockets() {
        anstream::eprintln!("removed `{}`: its process is gone", path.display());
    }
    let targets = Target::all().context("failed to read directory `/proc`")?;
    Ok(targets
        .iter()
        .map(|target| {
            status::ask(target).unwrap_or_else(|error| {
        json!({ "pid": target.pid, "command": target.command, "error": error.to_string(), "code": error.exit_code() })
    })
        })
        .collect())
}

/// One line for each.
pub(crate) fn show(document: &Value) -> String {
    let processes = document.as_array().map(Vec::as_slice).unwrap_or_default();
    if processes.is_empty() {
        return "no updatable process; build programs with `dsu-cc`\n".to_owned();
    }
    let mut table = Table::new(["PID", "COMMAND", "GENERATION", "FUNCTIONS", "PATCHES"]);
    for process in processes {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (pid, command) = (process["pid"].to_string(), text(&process["command"]));
        if !process["error"].is_null() {
            table.row([pid, command, "-".into(), "-".into(), text(&process["error"])]);
            continue;
        }
        let modules = process["modules"].as_array().map(Vec::as_slice).unwrap_or_default();
        let functions: u64 = modules.iter().filter_map(|module| module["functions"].as_u64()).sum();
        let patches = modules.iter().filter_map(|module| module["patches"].as_array()).flatten();
        let patches: Vec<String> = patches.map(|patch| text(&patch["name"])).collect();
        let patches = if patches.is_empty() { "-".to_owned() } else { patches.join(" ") };
        table.row([pid, command, process["generation"].to_string(), functions.to_string(), patches]);
    }
    table.to_string()
}
