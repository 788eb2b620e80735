//! What a process says of itself, and how it is shown.

use std::fs;
use std::time::Duration;

use dsu_abi::wire::{FunctionVersion, ModuleStatus, Packet, ProcessStatus, TransitionStatus};
use serde_json::{Value, json};

use crate::error::Error;
use crate::foreign;
use crate::style::{BOLD, DIM, Table, hex};
use crate::target::Target;
use crate::threads;

/// Answer to `status`: a document, for people shown by [`show`].
pub(crate) fn ask(target: &Target) -> Result<Value, Error> {
    let answer = target.ask(&Packet::Status, None)?;
    let mut document = json!({ "pid": target.pid, "command": target.command, "transition": null });
    let mut modules: Vec<Value> = Vec::new();
    let mut threads: Vec<Value> = Vec::new();
    for packet in answer.packets(target.pid)? {
        match packet {
            Packet::Process(process) => count(&mut document, &process),
            Packet::Transition(moving) => document["transition"] = transition(&moving),
            Packet::Thread(thread) => threads.push(threads::describe(&thread)),
            Packet::Module(module) => modules.push(describe(target, &module)),
            Packet::Applied(applied) => add(
                &mut modules,
                "patches",
                json!({
                    "name": applied.name, "checksum": hex(&applied.checksum), "generation": applied.generation,
                    "depth": applied.depth,
                }),
            ),
            Packet::Function(version) => add(&mut modules, "redirected", function(&version)),
            Packet::Failure(failure) => return Err(Error::refused(target.pid, "", &failure)),
            _ => {}
        }
    }
    document["threads"] = threads.into();
    document["modules"] = modules.into();
    Ok(foreign::document(document))
}

fn count(document: &mut Value, process: &ProcessStatus) {
    document["generation"] = process.generation.into();
    document["images"] = process.images.into();
    document["reclaimed"] = process.reclaimed.into();
    document["code_bytes"] = process.code.into();
    document["data_bytes"] = process.data.into();
}

fn transition(moving: &TransitionStatus) -> Value {
    let timeout = if moving.timeout_ms == 0 { Value::Null } else { moving.timeout_ms.into() };
    json!({
        "from": moving.from, "to": moving.to, "turned_back": moving.cancelled, "elapsed_ns": moving.elapsed_ns,
        "timeout_ms": timeout, "queued": moving.queued,
    })
}

/// The patches of all modules: those in effect, and those a revert goes back to.
pub(crate) fn patches(status: &Value) -> impl Iterator<Item = &Value> {
    let modules = status["modules"].as_array().into_iter().flatten();
    modules.flat_map(|module| module["patches"].as_array().into_iter().flatten())
}

/// The patches in effect.
pub(crate) fn in_effect(status: &Value) -> impl Iterator<Item = &Value> {
    patches(status).filter(|patch| patch["depth"] == 0)
}

/// A function and the generation of its version; 0 is the base.
pub(crate) fn function(version: &FunctionVersion<'_>) -> Value {
    json!({ "function": version.function, "unit": version.unit, "version": version.version })
}

fn add(modules: &mut [Value], list: &str, entry: Value) {
    if let Some(list) = modules.last_mut().and_then(|module| module[list].as_array_mut()) {
        list.push(entry);
    }
}

fn describe(target: &Target, module: &ModuleStatus<'_>) -> Value {
    let program = || fs::read_link(format!("/proc/{}/exe", target.pid)).map(|path| path.display().to_string());
    let path = if module.path.is_empty() { program().unwrap_or_default() } else { module.path.to_owned() };
    let dispatch = match module.dispatch {
        1 => "armed",
        2 => "always",
        _ => "mixed",
    };
    json!({
        "path": path, "build_id": hex(module.build_id), "dispatch": dispatch, "functions": module.functions,
        "points": module.points, "skipped": module.skipped, "patches": [], "redirected": [],
    })
}

/// The document in words; with all threads, or only those that have not moved.
pub(crate) fn show(document: &Value, all_threads: bool) -> String {
    let mut out = format!(
        "process {} ({}), generation {}\n",
        document["pid"],
        text(&document["command"]),
        document["generation"],
    );
    let moving = &document["transition"];
    if !moving.is_null() {
        out += &format!("{}{}\n", label("update"), transition_words(document, moving));
    }
    let shown: Vec<&Value> = if all_threads {
        threads::of(document).iter().collect()
    } else if moving.is_null() {
        Vec::new()
    } else {
        threads::waiting(document)
    };
    if !shown.is_empty() {
        out += &threads::table(&shown);
    }
    if document["images"] != 0 {
        out += &format!("{}{}\n", label("memory"), memory(document));
    }
    out + &document["modules"].as_array().into_iter().flatten().map(show_module).collect::<String>()
}

fn label(label: &str) -> String {
    format!("  {DIM}{label:<12}{DIM:#}")
}

fn transition_words(document: &Value, moving: &Value) -> String {
    let all = threads::of(document).len();
    let moved = all - threads::waiting(document).len();
    let elapsed = threads::duration(Duration::from_nanos(moving["elapsed_ns"].as_u64().unwrap_or_default()));
    let direction = if moving["turned_back"] == true { "cancelled, " } else { "" };
    let mut words = format!(
        "{direction}from generation {} to {}: {} moved after {elapsed}",
        moving["from"],
        moving["to"],
        threads::count(moved, all)
    );
    if let Some(timeout) = moving["timeout_ms"].as_u64() {
        words += &format!(", cancelled after {}", threads::duration(Duration::from_millis(timeout)));
    }
    if moving["queued"] == true {
        words += "; another update is queued";
    }
    words
}

fn memory(document: &Value) -> String {
    format!(
        "{} patch objects, of {} the code is unmapped; {} bytes of code and {} bytes of data are mapped",
        document["images"], document["reclaimed"], document["code_bytes"], document["data_bytes"],
    )
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn show_module(module: &Value) -> String {
    let patches: Vec<String> = module["patches"].as_array().into_iter().flatten().map(show_patch).collect();
    let mut out = format!(
        "{}{BOLD}{}{BOLD:#}\n{}{}\n{}{} updatable ({}), {} left alone, {} quiescence points\n{}{}\n",
        label("module"),
        text(&module["path"]),
        label("build-id"),
        text(&module["build_id"]),
        label("functions"),
        module["functions"],
        text(&module["dispatch"]),
        module["skipped"],
        module["points"],
        label("patch"),
        if patches.is_empty() { "none".to_owned() } else { patches.join(", over ") },
    );
    if let Some(redirected) = module["redirected"].as_array().filter(|list| !list.is_empty()) {
        out.push_str(&functions_table(redirected));
    }
    out
}

fn show_patch(patch: &Value) -> String {
    let (name, checksum) = (text(&patch["name"]), text(&patch["checksum"]));
    format!("{BOLD}{name}{BOLD:#} (generation {}, sha256 {checksum:.12})", patch["generation"])
}

/// Functions, their units and versions, in columns.
fn functions_table(functions: &[Value]) -> String {
    let mut table = Table::new(["  FUNCTION", "UNIT", "VERSION"]);
    for function in functions {
        let name = text(&function["function"]);
        table.row([format!("  {name}"), text(&function["unit"]).to_owned(), version(function)]);
    }
    table.to_string()
}

/// The version of a function in words.
pub(crate) fn version(function: &Value) -> String {
    match function["version"].as_u64() {
        Some(0) | None => "base".to_owned(),
        Some(generation) => generation.to_string(),
    }
}
