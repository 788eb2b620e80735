//! `apply` and `revert`: the answer as a document, and in words.

use dsu_abi::wire::{self, Done, Packet, Wish};
use serde_json::{Value, json};

use crate::error::Error;
use crate::patch::Patch;
use crate::status;
use crate::style::{BOLD, DIM, GOOD, Table, hex};
use crate::target::Target;

/// Applies a patch. Returns when every new call runs it.
pub(crate) fn apply(target: &Target, patch: &Patch) -> Result<Value, Error> {
    let answer = target
        .ask(&Packet::Apply(wire::Apply { wish: Wish::Patch, timeout_ms: 0, queue: false }), Some(patch.as_fd()))?;
    let mut document = read(target, &patch.name, &answer.packets(target.pid)?)?;
    for function in document["functions"].as_array_mut().into_iter().flatten() {
        explain(function, &patch.manifest);
    }
    Ok(document)
}

/// Adds what the manifest says of a function: bytes of its new code, and why it is in the patch.
fn explain(function: &mut Value, manifest: &Value) {
    if function["version"] == 0 {
        return; // Back at the base: not in this patch.
    }
    let mut described = manifest["functions"].as_array().into_iter().flatten();
    let same = |entry: &&Value| entry["name"] == function["function"] && entry["unit"] == function["unit"];
    if let Some(entry) = described.find(same) {
        function["size"] = entry["size"].clone();
        function["reason"] = entry["reason"].clone();
    }
}

/// Takes the patch back.
pub(crate) fn revert(target: &Target) -> Result<Value, Error> {
    let answer = target.ask(&Packet::Revert(wire::Revert { to_base: true, timeout_ms: 0 }), None)?;
    read(target, "", &answer.packets(target.pid)?)
}

fn read(target: &Target, patch: &str, packets: &[Packet<'_>]) -> Result<Value, Error> {
    let mut document = json!({ "pid": target.pid, "command": target.command });
    let mut functions = Vec::new();
    for packet in packets {
        match packet {
            Packet::Done(done) => fill(&mut document, done),
            Packet::Redirect(redirect) => functions.push(status::function(redirect)),
            Packet::Failure(failure) => return Err(Error::refused(target.pid, patch, failure)),
            _ => {}
        }
    }
    document["functions"] = functions.into();
    Ok(document)
}

fn fill(document: &mut Value, done: &Done<'_>) {
    let microseconds = |ns: u64| ns as f64 / 1000.0;
    document["patch"] = if done.patch.is_empty() { Value::Null } else { done.patch.into() };
    document["checksum"] = if done.patch.is_empty() { Value::Null } else { hex(&done.checksum).into() };
    document["generation"] = done.generation.into();
    document["already"] = done.already.into();
    document["reused"] = done.reused.into();
    document["timings_us"] = json!({
        "map": microseconds(done.map_ns), "prepare": microseconds(done.prepare_ns), "commit": microseconds(done.commit_ns),
    });
}

/// The document in words.
pub(crate) fn show(document: &Value) -> String {
    let process = format!("process {} ({})", document["pid"], document["command"].as_str().unwrap_or_default());
    let patch = document["patch"].as_str().unwrap_or_default();
    if document["already"] == true {
        return format!("{GOOD}already applied{GOOD:#} {BOLD}{patch}{BOLD:#} to {process}; nothing was done\n");
    }
    let functions = document["functions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let generation = &document["generation"];
    let count = match functions.len() {
        1 => "1 function".to_owned(),
        many => format!("{many} functions"),
    };
    let head = if document["patch"].is_null() {
        format!("{GOOD}reverted{GOOD:#} {process}: {count} back at the base, generation {generation}\n")
    } else {
        format!("{GOOD}applied{GOOD:#} {BOLD}{patch}{BOLD:#} to {process}: {count}, generation {generation}\n")
    };
    let timings = &document["timings_us"];
    let us = |step: &str| timings[step].as_f64().unwrap_or_default();
    let reused = if document["reused"] == true { " (still loaded)" } else { "" };
    format!(
        "{head}{}{DIM}map {:.0} µs{reused}, prepare {:.0} µs, commit {:.0} µs{DIM:#}\n",
        functions_table(functions),
        us("map"),
        us("prepare"),
        us("commit"),
    )
}

fn functions_table(functions: &[Value]) -> String {
    let mut table = Table::new(["  FUNCTION", "UNIT", "VERSION", "BYTES", "REASON"]);
    for function in functions {
        let text = |field: &str| function[field].as_str().unwrap_or_default().to_owned();
        let size = function["size"].as_u64().map_or("-".to_owned(), |size| size.to_string());
        let name = format!("  {}", text("function"));
        table.row([name, text("unit"), status::version(function), size, text("reason")]);
    }
    table.to_string()
}
