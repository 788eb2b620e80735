//! One apply or revert of one process: the answer as a document, and in words.

use std::time::Duration;

use dsu_abi::wire::{self, ConsistencyOverride, Done, Packet};
use serde_json::{Value, json};

use crate::error::Error;
use crate::follow;
use crate::foreign;
use crate::patch::Patch;
use crate::status;
use crate::style::{BOLD, DIM, GOOD, Table, WARN, hex};
use crate::target::Target;
use crate::threads;

/// Applies a patch. Returns at the commit, before which an apply that may queue has to wait for another update.
pub(crate) fn apply(target: &Target, patch: &Patch, request: wire::Apply) -> Result<Value, Error> {
    let answer = if request.queue {
        let mut line = follow::Line::new(target);
        target.ask_in_line(&Packet::Apply(request), patch.as_fd(), &mut || line.wait())?
    } else {
        target.ask(&Packet::Apply(request), Some(patch.as_fd()))?
    };
    let mut document = read(target, &patch.name, &answer.packets(target.pid)?)?;
    for function in document["functions"].as_array_mut().into_iter().flatten() {
        explain(function, &patch.manifest);
    }
    if let Some(accepted) = patch.manifest["accepted"].as_array().filter(|list| !list.is_empty()) {
        document["accepted"] = accepted.clone().into();
    }
    if let Some(effects) = patch.manifest["effects"].as_array().filter(|list| !list.is_empty()) {
        document["effects"] = effects.clone().into();
    }
    Ok(document)
}

/// The request for it.
pub(crate) fn request(consistency: ConsistencyOverride, timeout: Option<Duration>, queue: bool) -> wire::Apply {
    wire::Apply { consistency, timeout_ms: milliseconds(timeout), queue }
}

/// As the protocol has it: 0 is for ever. The command line takes nothing that does not fit.
fn milliseconds(timeout: Option<Duration>) -> u32 {
    timeout.map_or(0, |timeout| u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX))
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

/// Takes the patch back. Returns at the commit.
pub(crate) fn revert(target: &Target, to_base: bool, timeout: Option<Duration>) -> Result<Value, Error> {
    let answer = target.ask(&Packet::Revert(wire::Revert { to_base, timeout_ms: milliseconds(timeout) }), None)?;
    read(target, "", &answer.packets(target.pid)?)
}

fn read(target: &Target, patch: &str, packets: &[Packet<'_>]) -> Result<Value, Error> {
    let mut document = json!({ "pid": target.pid, "command": target.command });
    let mut functions = Vec::new();
    for packet in packets {
        match packet {
            Packet::Done(done) => fill(&mut document, done),
            Packet::Function(version) => functions.push(status::function(version)),
            Packet::Failure(failure) => return Err(Error::refused(target.pid, patch, failure)),
            _ => {}
        }
    }
    document["functions"] = functions.into();
    Ok(foreign::document(document))
}

fn fill(document: &mut Value, done: &Done<'_>) {
    let microseconds = |ns: u64| ns as f64 / 1000.0;
    document["patch"] = if done.patch.is_empty() { Value::Null } else { done.patch.into() };
    document["checksum"] = if done.patch.is_empty() { Value::Null } else { hex(&done.checksum).into() };
    document["generation"] = done.generation.into();
    document["already"] = done.already.into();
    document["reused"] = done.reused.into();
    document["consistency"] = if done.thread { "thread" } else { "newest" }.into();
    document["complete"] = done.complete.into();
    document["timings_us"] = json!({
        "map": microseconds(done.map_ns), "prepare": microseconds(done.prepare_ns), "commit": microseconds(done.commit_ns),
    });
}

/// The document in words.
pub(crate) fn show(document: &Value) -> String {
    let process = format!("process {} ({})", document["pid"], word(&document["command"]));
    let patch = word(&document["patch"]);
    let progress = progress(document);
    if document["already"] == true && patch.is_empty() {
        return format!("{GOOD}being cancelled already{GOOD:#} {process}; nothing was done\n{progress}");
    }
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
        let back = document["back_at"].as_array().into_iter().flatten().map(|name| format!("`{}`", word(name)));
        let back: Vec<String> = back.collect();
        let back = if back.is_empty() { "the base".to_owned() } else { format!("patch {}", back.join(", ")) };
        format!("{GOOD}reverted{GOOD:#} {process}: {count} back at {back}, generation {generation}\n")
    } else {
        format!("{GOOD}applied{GOOD:#} {BOLD}{patch}{BOLD:#} to {process}: {count}, generation {generation}\n")
    };
    let timings = &document["timings_us"];
    let us = |step: &str| timings[step].as_f64().unwrap_or_default();
    let reused = if document["reused"] == true { " (still loaded)" } else { "" };
    format!(
        "{head}{}{}{DIM}map {:.0} µs{reused}, prepare {:.0} µs, commit {:.0} µs{DIM:#}\n{progress}",
        functions_table(functions),
        accepted(document) + &effects(document),
        us("map"),
        us("prepare"),
        us("commit"),
    )
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// How far its threads are; nothing when the commit had nothing to leave to them.
fn progress(document: &Value) -> String {
    match document["took_ns"].as_u64() {
        Some(ns) => {
            let (threads, took) = (&document["threads"], threads::duration(Duration::from_nanos(ns)));
            format!("all {threads} threads moved, the last after {took}\n")
        }
        None if document["complete"] == true => String::new(),
        None => {
            format!("its threads move one by one; `dsuctl status {} --watch` shows how far they are\n", document["pid"])
        }
    }
}

/// What the release engineer answered for, in the words of the patch.
fn accepted(document: &Value) -> String {
    let risks = document["accepted"].as_array().into_iter().flatten();
    let line = |risk: &Value| {
        let said = ["reason", "because"].map(|field| word(&risk[field])).into_iter().filter(|said| !said.is_empty());
        let said = said.collect::<Vec<_>>().join("; ");
        format!("{WARN}accepted risk{WARN:#} `{}`: {said}\n", word(&risk["subject"]))
    };
    risks.map(line).collect()
}

/// What the patch does not do, or does in a way that could surprise.
fn effects(document: &Value) -> String {
    let effects = document["effects"].as_array().into_iter().flatten();
    effects.map(|e| format!("{WARN}effect{WARN:#} {}; {}\n", word(&e["message"]), word(&e["help"]))).collect()
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
