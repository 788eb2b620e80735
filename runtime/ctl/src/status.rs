//! What a process says of itself, and how it is shown.

use std::fs;

use dsu_abi::wire::{Module, Packet, Redirect};
use serde_json::{Value, json};

use crate::error::Error;
use crate::style::{BOLD, DIM, Table, hex};
use crate::target::Target;

/// Answer to `status`: a document, for people shown by [`show`].
pub(crate) fn ask(target: &Target) -> Result<Value, Error> {
    let answer = target.ask(&Packet::Status, None)?;
    let mut document = json!({ "pid": target.pid, "command": target.command });
    let mut modules: Vec<Value> = Vec::new();
    for packet in answer.packets(target.pid)? {
        match packet {
            Packet::Process(process) => {
                document["generation"] = process.generation.into();
                document["reached"] = process.reached.into();
                document["images"] = process.images.into();
            }
            Packet::Module(module) => modules.push(describe(target, &module)),
            Packet::Applied(applied) => add(
                &mut modules,
                "patches",
                json!({
                    "name": applied.name, "checksum": hex(&applied.checksum), "generation": applied.generation,
                }),
            ),
            Packet::Redirect(redirect) => add(&mut modules, "redirected", function(&redirect)),
            Packet::Failure(failure) => return Err(Error::refused(target.pid, "", &failure)),
            _ => {}
        }
    }
    document["modules"] = modules.into();
    Ok(document)
}

/// A function and the generation of its version; 0 is the base.
pub(crate) fn function(redirect: &Redirect<'_>) -> Value {
    json!({ "function": redirect.function, "unit": redirect.unit, "version": redirect.version })
}

fn add(modules: &mut [Value], list: &str, entry: Value) {
    if let Some(list) = modules.last_mut().and_then(|module| module[list].as_array_mut()) {
        list.push(entry);
    }
}

fn describe(target: &Target, module: &Module<'_>) -> Value {
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

/// The document in words.
pub(crate) fn show(document: &Value) -> String {
    let modules = document["modules"].as_array().into_iter().flatten();
    let modules: String = modules.map(show_module).collect();
    format!(
        "process {} ({}), generation {}, {} threads at a quiescence point since\n{modules}",
        document["pid"],
        text(&document["command"]),
        document["generation"],
        document["reached"],
    )
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn show_module(module: &Value) -> String {
    let label = |label: &str| format!("  {DIM}{label:<12}{DIM:#}");
    let patches = module["patches"].as_array().into_iter().flatten();
    let patches: Vec<String> = patches
        .map(|patch| {
            let (name, checksum) = (text(&patch["name"]), text(&patch["checksum"]));
            format!("{BOLD}{name}{BOLD:#} (generation {}, sha256 {checksum:.12})", patch["generation"])
        })
        .collect();
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
        if patches.is_empty() { "none".to_owned() } else { patches.join(", ") },
    );
    if let Some(redirected) = module["redirected"].as_array().filter(|list| !list.is_empty()) {
        out.push_str(&functions_table(redirected));
    }
    out
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
