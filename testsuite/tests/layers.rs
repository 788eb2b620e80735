//! The order of modules inside each crate, as `tidy.rs` holds that of the crates: a module knows those before it in its
//! crate's list, and no file is in a circle of imports. What a file's parent declares is the parent's business: a module and
//! the files below it are one thing, so an import of an ancestor is no arrow.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use testsuite::tools::workspace;

/// Folder of a crate's sources, and its top-level modules from the lowest to the highest. Those in one group may not know each
/// other, unless by a file that is in no circle.
const LAYERS: &[(&str, &[&[&str]])] = &[
    (
        "dsu-pass/src",
        &[
            &["options", "toolchain"],
            &["llvm", "wrapper"],
            &["assembly", "markers"],
            &["survey"],
            &["waits"],
            &["capture", "report"],
            &["instrument"],
            &["record"],
            &["plugin"],
        ],
    ),
    (
        "testsuite/src",
        &[
            &["process", "tools"],
            &["config", "edits", "live"],
            &["directive"],
            &["case"],
            &["build"],
            &["expectation"],
            &["script"],
            &["oracle"],
            &["runner"],
            &["real"],
            &["programs"],
            &["identity"],
            &["churn", "corpus", "mutants", "random"],
        ],
    ),
    (
        "patchgen/src",
        &[
            &["exit", "toolchain"],
            &["arch"],
            &["ir"],
            &["problem", "progress"],
            &["build"],
            &["compare"],
            &["check"],
            &["patch"],
            &["report"],
            &["pipeline"],
            &["cli"],
        ],
    ),
];

/// A module by its path within the crate, `compare::diff::lines`, and whom it names.
type Imports = BTreeMap<String, BTreeSet<String>>;

#[test]
fn modules_know_only_those_below_them() {
    let mut wrong = Vec::new();
    for (folder, groups) in LAYERS {
        let place = |module: &str| {
            let top = module.split("::").next().unwrap_or_default();
            groups.iter().position(|group| group.contains(&top))
        };
        for (module, imported) in imports(folder) {
            let Some(own) = place(&module) else {
                wrong.push(format!("{folder}: `{module}` is in no layer: say where it belongs in this test's table"));
                continue;
            };
            let above = imported.iter().filter(|other| place(other).is_some_and(|other| other > own));
            wrong.extend(
                above.map(|other| format!("{folder}: `{module}` imports `{other}`, which is a layer above it")),
            );
        }
    }
    assert!(wrong.is_empty(), "{} places:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_file_is_in_a_circle_of_imports() {
    let mut wrong = Vec::new();
    for (folder, _) in LAYERS {
        let imports = imports(folder);
        for module in imports.keys() {
            if let Some(way) = way_back(&imports, module) {
                wrong.push(format!("{folder}: {}", way.join(" -> ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{} circles:\n{}", wrong.len(), wrong.join("\n"));
}

/// A way of imports from a module to itself, the shortest.
fn way_back(imports: &Imports, start: &str) -> Option<Vec<String>> {
    let mut open = vec![vec![start.to_owned()]];
    let mut seen = BTreeSet::new();
    while !open.is_empty() {
        let mut next = Vec::new();
        for way in open {
            for other in imports.get(way.last()?).into_iter().flatten() {
                let longer: Vec<String> = way.iter().chain([other]).cloned().collect();
                if other == start {
                    return Some(longer);
                }
                if seen.insert(other.clone()) {
                    next.push(longer);
                }
            }
        }
        open = next;
    }
    None
}

/// Who imports whom, by the paths that its sources name.
fn imports(folder: &str) -> Imports {
    let mut files = BTreeMap::new();
    let root = workspace().join(folder);
    collect(&root, "", &mut files);
    assert!(files.len() > 1, "{folder} has no sources");
    let known: BTreeSet<&String> = files.keys().collect();
    let resolve = |path: &str| -> Option<String> {
        let parts: Vec<&str> = path.split("::").collect();
        (1..=parts.len()).rev().map(|count| parts[..count].join("::")).find(|module| known.contains(module))
    };
    let mut found = Imports::new();
    for (module, text) in &files {
        let mut own = BTreeSet::new();
        for path in paths(module, text) {
            let Some(other) = resolve(&path) else { continue };
            let is_own_kin = other == *module || module.starts_with(&format!("{other}::"));
            if !is_own_kin {
                own.insert(other);
            }
        }
        found.insert(module.clone(), own);
    }
    found
}

/// Sources below a folder by module, without their tests.
fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).expect("sources are there").flatten() {
        let path = entry.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let module = if prefix.is_empty() { name.clone() } else { format!("{prefix}::{name}") };
        if path.is_dir() {
            if name != "bin" {
                collect(&path, &module, files);
            }
        } else if path.extension().is_some_and(|e| e == "rs") && !matches!(name.as_str(), "lib" | "main" | "tests") {
            let text = std::fs::read_to_string(&path).expect("a source is text");
            let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned();
            let module = if name == "mod" { prefix.to_owned() } else { module };
            files.insert(module, text);
        }
    }
}

/// The paths within the crate that a module names, in `use` and elsewhere, as seen from the crate's root.
fn paths(module: &str, text: &str) -> Vec<String> {
    let parent = |levels: usize| {
        let parts: Vec<&str> = module.split("::").collect();
        parts[..parts.len().saturating_sub(levels)].join("::")
    };
    let code: String = text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for (start, base) in [("crate::", String::new()), ("super::super::", parent(2)), ("super::", parent(1))] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || before == ':' || before == '_' {
                continue;
            }
            let join = |tail: &str| if base.is_empty() { tail.to_owned() } else { format!("{base}::{tail}") };
            found.extend(expand(&code[at + start.len()..]).iter().map(|tail| join(tail)));
        }
    }
    found
}

/// `a::{b, c::d}` as `a::b` and `a::c::d`; the text goes on behind it.
fn expand(text: &str) -> Vec<String> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(text.len());
    let (head, tail) = text.split_at(end);
    let Some(inside) = tail.strip_prefix('{').filter(|_| head.is_empty() || head.ends_with("::")) else {
        return vec![head.trim_end_matches(':').to_owned()];
    };
    let mut depth = 0;
    let mut parts = vec![String::new()];
    for c in inside.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    let parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    parts.flat_map(expand).map(|part| format!("{head}{part}")).collect()
}

#[test]
fn imports_are_read_as_they_are_written() {
    assert_eq!(expand("a::{b, c::{d, e}}; more"), ["a::b", "a::c::d", "a::c::e"]);
    assert_eq!(expand("a::b(x)"), ["a::b"]);
    let text = "use super::x::Y;\n// crate::no\nfn f() { crate::z::g(); }\nuse super::super::w;\n";
    assert_eq!(paths("m::n::o", text), ["z::g", "m::w", "m::n::x::Y", "m::n::super::w"]);
    let circle = |list: &[(&str, &str)]| -> Imports {
        let mut all = Imports::new();
        list.iter().for_each(|(a, b)| {
            all.entry((*a).into()).or_default().insert((*b).into());
        });
        all
    };
    let imports = circle(&[("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")]);
    assert_eq!(way_back(&imports, "b").expect("a circle"), ["b", "c", "b"]);
    assert_eq!((way_back(&imports, "a"), way_back(&imports, "d")), (None, None));
}
