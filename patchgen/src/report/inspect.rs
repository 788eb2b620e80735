//! Shows what is inside a patch object.

use std::fs;
use std::path::Path;

use dsu_abi::patch::{self, CHECKSUM_OFFSET, FUNCTION_STAYS, Hooks, MANIFEST_SECTION, PATCH_ESCAPES, SECTION};
use object::{Object, ObjectSection};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::build::hex;
use crate::check::consistency::{ASKED_FOR, Model};
use crate::check::overrides::Override;
use crate::patch::order::Finished;
use crate::problem::{Problem, Reason, Result};
use crate::report::picture::Picture;

/// A patch object, read and checked.
#[derive(Debug, Clone)]
pub struct Inspected {
    /// Manifest, tables and checks as one JSON object.
    pub json: Value,
    manifest_text: String,
}

/// Reads a patch object.
pub fn inspect(path: &Path) -> Result<Inspected> {
    let shown = path.display().to_string();
    let unreadable = |e: std::io::Error| Problem::new(Reason::Unreadable, &shown, format!("cannot be read: {e}"));
    if fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Err(Problem::new(Reason::IsDirectory, &shown, "is a directory"));
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    let damaged = |what: String| Problem::new(Reason::Damaged, &shown, what);
    let file = object::File::parse(&*bytes).map_err(|e| damaged(format!("is not a complete ELF file: {e}")))?;
    let section = |name: &str| {
        let found = file.section_by_name(name);
        found.ok_or_else(|| {
            Problem::new(Reason::NotABuild, &shown, format!("is no patch object: it has no section `{name}`"))
        })
    };
    let tables = section(SECTION)?;
    let data = tables.data().map_err(|e| damaged(e.to_string()))?;
    let patch = patch::parse(data).map_err(|e| damaged(e.to_string()))?;
    let at = tables.file_range().map_or(0, |(at, _)| at as usize) + CHECKSUM_OFFSET as usize;
    let mut zeroed = bytes.clone();
    zeroed.get_mut(at..at + 32).ok_or_else(|| damaged("is cut short".into()))?.fill(0);
    if Sha256::digest(&zeroed)[..] != patch.checksum {
        return Err(damaged("is not what patchgen wrote: its checksum does not match".into()));
    }
    let text = section(MANIFEST_SECTION)?.data().map_err(|e| damaged(e.to_string()))?;
    let manifest: Value =
        serde_json::from_slice(text).map_err(|e| damaged(format!("has an unreadable manifest: {e}")))?;
    let functions: std::result::Result<Vec<_>, _> = patch.functions().collect();
    let relocations: std::result::Result<Vec<_>, _> = patch.relocations().collect();
    let functions: Vec<Value> = functions
        .map_err(|e| damaged(e.to_string()))?
        .iter()
        .map(|f| {
            json!({"name": f.name, "unit": f.unit, "entry": f.entry, "slot": f.slot, "body": f.body,
                "old": f.old, "stub": f.stub, "old_size": f.size, "old_line": f.line,
                "stays": f.flags & FUNCTION_STAYS != 0,
                "dispatch": format!("{:?}", f.dispatch).to_lowercase()})
        })
        .collect();
    let relocations: Vec<Value> = relocations
        .map_err(|e| damaged(e.to_string()))?
        .iter()
        .map(|r| {
            json!({"name": r.name, "offset": r.offset, "value": r.value, "addend": r.addend,
            "kind": format!("{:?}", r.kind)})
        })
        .collect();
    let carried: std::result::Result<Vec<_>, _> = patch.carried().collect();
    let carried: Vec<Value> = carried
        .map_err(|e| damaged(e.to_string()))?
        .iter()
        .map(|c| {
            json!({"name": c.name, "address": c.address, "size": c.size,
                "identity": format!("{:016x}", c.identity), "shape": format!("{:016x}", c.shape)})
        })
        .collect();
    let members = manifest["functions"].as_array().into_iter().flatten();
    let update_set: Vec<Value> =
        members.map(|m| json!({"unit": m["unit"], "function": m["name"], "reason": m["reason"]})).collect();
    let json = json!({
        "name": patch.name,
        "base_build_id": hex(patch.base_build_id),
        "machine": patch.machine,
        "consistency": format!("{:?}", patch.consistency).to_lowercase(),
        "control": patch.control,
        "escapes": patch.flags & PATCH_ESCAPES != 0,
        "checksum": hex(&patch.checksum),
        "size": bytes.len(),
        "redirects": functions,
        "relocations": relocations,
        "carried": carried,
        "hooks": hooks(&patch),
        "update_set": update_set,
        "manifest": manifest,
    });
    Ok(Inspected { json, manifest_text: String::from_utf8_lossy(text).into_owned() })
}

/// The hooks that the runtime calls, with their addresses in the patch object.
fn hooks(patch: &patch::Patch<'_>) -> Value {
    let Hooks { pre_apply, post_apply, pre_revert, post_revert } = patch.hooks;
    let all = [
        ("pre_apply", pre_apply),
        ("post_apply", post_apply),
        ("pre_revert", pre_revert),
        ("post_revert", post_revert),
    ];
    all.into_iter()
        .filter(|(_, address)| *address != 0)
        .map(|(name, address)| (name.to_owned(), json!(address)))
        .collect()
}

fn text_of<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

impl Inspected {
    /// Its name.
    pub fn name(&self) -> String {
        text_of(&self.json, "name").to_owned()
    }

    /// The consistency that was asked for when it was made; `None` where the default was taken.
    pub fn consistency(&self) -> Option<Model> {
        let asked = text_of(&self.json["manifest"], "consistency_reason") == ASKED_FOR;
        let thread = self.json["consistency"] == Model::Thread.name();
        asked.then_some(if thread { Model::Thread } else { Model::Newest })
    }

    /// The overrides that it was made with.
    pub fn accepted(&self) -> Vec<Override> {
        let list = self.json["manifest"]["accepted"].as_array().into_iter().flatten();
        let mut out: Vec<Override> = Vec::new();
        for risk in list {
            let one =
                Override { name: text_of(risk, "subject").to_owned(), because: text_of(risk, "because").to_owned() };
            // One override may have settled several problems of one thing.
            if !out.contains(&one) {
                out.push(one);
            }
        }
        out
    }

    /// Is it what two builds give? Equal input gives equal bytes.
    pub fn check_made_of(&self, path: &Path, finished: Option<&Finished>) -> Result<()> {
        if finished.is_some_and(|f| f.manifest == self.manifest_text) {
            return Ok(());
        }
        let message = "is not what these two builds give";
        Err(Problem::new(Reason::OtherPatch, path.display().to_string(), message))
    }

    fn functions(&self) -> impl Iterator<Item = &Value> {
        self.json["manifest"]["functions"].as_array().into_iter().flatten()
    }

    /// The text a person reads.
    pub fn text(&self) -> String {
        let (json, manifest) = (&self.json, &self.json["manifest"]);
        let mut out = format!("patch       {} ({} bytes)\n", text_of(json, "name"), json["size"]);
        out.push_str(&format!(
            "base        {} {}\n",
            text_of(&manifest["base"], "name"),
            text_of(json, "base_build_id")
        ));
        out.push_str(&format!(
            "made from   {} {}\n",
            text_of(&manifest["new"], "name"),
            text_of(&manifest["new"], "build_id")
        ));
        out.push_str(&format!(
            "consistency {}, because {}\n",
            text_of(manifest, "consistency"),
            text_of(manifest, "consistency_reason")
        ));
        out.push_str(&format!("checksum    {}\n", text_of(json, "checksum")));
        for f in self.functions() {
            let verb = if f["redirected"] == true { "replaces" } else { "adds" };
            out.push_str(&format!("{verb:<11} {} of {}, {} bytes", text_of(f, "name"), text_of(f, "unit"), f["size"]));
            out.push_str(&format!(" ({}:{}): {}\n", text_of(f, "file"), f["line"], text_of(f, "reason")));
            let (old, new) = (text_of(f, "old_signature"), text_of(f, "new_signature"));
            if !old.is_empty() && old != new {
                out.push_str(&format!("            {old} -> {new}\n"));
            }
            let notes = [
                crate::report::explain::effect(text_of(f, "name")).filter(|_| f["redirected"] == true),
                f["newest_only"].as_str().map(|why| format!("for consistency `newest` only: {why}")),
            ];
            for note in notes.iter().flatten() {
                out.push_str(&format!("            {note}\n"));
            }
        }
        for name in json["hooks"].as_object().into_iter().flat_map(|hooks| hooks.keys()) {
            out.push_str(&format!("hook        dsu_{name}\n"));
        }
        for effect in manifest["effects"].as_array().into_iter().flatten() {
            out.push_str(&format!("effect      {}; {}\n", text_of(effect, "message"), text_of(effect, "help")));
        }
        for risk in manifest["accepted"].as_array().into_iter().flatten() {
            out.push_str(&format!("accepted    {}: {}", text_of(risk, "subject"), text_of(risk, "message")));
            out.push_str(&format!("\n            because {}\n", text_of(risk, "because")));
        }
        let count = |v: &Value| v.as_array().map_or(0, Vec::len);
        let references = count(&json["relocations"]);
        out.push_str(&format!(
            "data        {} new objects, {references} references to the base\n",
            count(&manifest["variables"])
        ));
        for c in json["carried"].as_array().into_iter().flatten() {
            let (name, identity) = (text_of(c, "name"), text_of(c, "identity"));
            out.push_str(&format!("carries     {name}, {} bytes, on to later patches ({identity})\n", c["size"]));
        }
        if json["escapes"] == true {
            out.push_str("stays       the address of a function it adds is kept somewhere: its code stays mapped\n");
        }
        out
    }

    /// The call graph of the patch's functions in Graphviz' language; empty for a patch without one.
    pub fn dot(&self) -> String {
        let graph = self.json["manifest"]["call_graph"].clone();
        serde_json::from_value::<Picture>(graph).unwrap_or_default().dot()
    }
}
