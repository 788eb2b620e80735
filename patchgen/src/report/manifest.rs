//! The manifest inside a patch object: for people and tools; the runtime never reads it. It holds nothing that
//! depends on when or where it was made, so equal inputs give equal bytes.

use std::collections::BTreeMap;

use serde_json::json;

use crate::build::Build;
use crate::check::redirect::Redirect;
use crate::patch::emit::Linked;
use crate::patch::extract::Extracted;
use crate::report::explain::Report;

/// Version of the manifest's fields.
pub const VERSION: u32 = 1;

/// The manifest as JSON text.
pub fn manifest(
    report: &Report,
    (base, new): (&Build, &Build),
    linked: &Linked,
    extracted: &Extracted,
    redirects: &[Redirect],
    name: &str,
) -> String {
    let redirects: BTreeMap<_, _> = redirects.iter().map(|r| (&r.definition, r)).collect();
    let functions: Vec<_> = report
        .update_set
        .iter()
        .map(|m| {
            let symbol = extracted.symbols.get(&m.definition).cloned().unwrap_or_default();
            json!({
                "name": m.function,
                "unit": m.unit,
                "symbol": symbol,
                "redirected": m.redirected,
                "reason": m.reason,
                "old_signature": m.old_signature,
                "new_signature": m.new_signature,
                "size": linked.size_of(&symbol),
                "file": m.file,
                "line": m.line,
                "calls": m.calls,
                "recursive": m.recursive,
                "never_returns": m.never_returns,
                "newest_only": redirects.get(&m.definition).and_then(|r| r.bound_to_newest()),
            })
        })
        .collect();
    let variables: Vec<_> = extracted
        .symbols
        .iter()
        .filter(|(d, _)| report.update_set.iter().all(|m| m.definition != **d))
        .map(|(_, s)| s)
        .collect();
    let value = json!({
        "manifest_version": VERSION,
        "name": name,
        "base": { "name": base.name, "build_id": base.build_id_hex() },
        "new": { "name": new.name, "build_id": new.build_id_hex() },
        "consistency": report.consistency.as_ref().map(|c| c.model.name()),
        "consistency_reason": report.consistency.as_ref().map(|c| c.reason.as_str()),
        "tools": { "patchgen": env!("CARGO_PKG_VERSION"), "llvm": "19" },
        "functions": functions,
        "variables": variables,
        "carried": extracted.persistent.iter().map(|c| json!({"name": c.name, "unit": c.unit})).collect::<Vec<_>>(),
        "base_references": extracted.base.values().map(|b| b.name.as_str()).collect::<Vec<_>>(),
        "changes": report.changes,
        "accepted": report.accepted,
        "effects": report.effects,
        "call_graph": report.call_graph,
    });
    serde_json::to_string_pretty(&value).expect("a JSON value with string keys")
}
