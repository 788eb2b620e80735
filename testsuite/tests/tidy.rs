//! Rules of the tree that no compiler checks. Each failure lists every place and says what to do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testsuite::directive;
use testsuite::tools::workspace;

/// Longest file and function; STYLE of the project.
const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 80;
/// DESIGN.md maps steps to files and stays short so that it cannot rot.
const DESIGN_LINES: usize = 80;
/// (file, function or nothing for the whole file, reason): what may be longer.
const LONGER: &[(&str, &str, &str)] = &[];
/// What each crate may depend on, of ours.
const MAY_USE: &[(&str, &[&str])] = &[
    ("dsu-abi", &[]),
    ("dsu-runtime", &["dsu-abi"]),
    ("dsuctl", &["dsu-abi"]),
    ("dsu-pass", &["dsu-abi"]),
    ("dsu-plugin", &["dsu-pass"]),
    ("patchgen", &["dsu-abi", "dsu-pass"]),
    ("testsuite", &[]),
];
/// Where `unsafe` may stand: the wall around LLVM, and what runs inside the updated program.
const MAY_BE_UNSAFE: &[&str] = &["dsu-pass/src/llvm/", "runtime/"];
/// Whom a text may refer to.
const KNOWN_HOSTS: &[&str] = &[
    "crates.io",
    "docs.rs",
    "github.com",
    "gitlab.com",
    "www.kernel.org",
    "docs.kernel.org",
    "man7.org",
    "llvm.org",
    "clang.llvm.org",
    "sourceware.org",
    "www.debian.org",
    "doc.rust-lang.org",
    "keepachangelog.com",
    "semver.org",
    "localhost",
    "127.0.0.1",
];

#[test]
fn dependencies_point_one_way() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(workspace())
        .output()
        .expect("cargo runs: it runs this test");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("the workspace has packages");
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("a package has a name");
        let Some((_, may_use)) = MAY_USE.iter().find(|(known, _)| *known == name) else {
            wrong.push(format!("`{name}` is not in this test's table: say what it may use"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = dependency["name"].as_str().unwrap_or_default();
            if !dependency["path"].is_null() && !may_use.contains(&used) {
                wrong.push(format!("`{name}` depends on `{used}`, which it may not know"));
            }
        }
    }
    nothing(&wrong);
}

#[test]
fn files_and_functions_stay_in_budget() {
    let mut wrong = Vec::new();
    let exempt = |file: &str, function: &str| LONGER.iter().any(|(f, n, _)| *f == file && *n == function);
    for (file, text) in sources("rs") {
        let lines = text.lines().count();
        if lines > FILE_LINES && !exempt(&file, "") {
            wrong.push(format!("{file}: {lines} lines, at most {FILE_LINES}: split it"));
        }
        for (name, line, length) in functions(&text) {
            if length > FUNCTION_LINES && !exempt(&file, name) {
                wrong.push(format!("{file}:{line}: `{name}` has {length} lines, at most {FUNCTION_LINES}: split it"));
            }
        }
    }
    wrong.extend(LONGER.iter().filter(|e| e.2.is_empty()).map(|e| format!("{}: an exemption needs a reason", e.0)));
    nothing(&wrong);
}

/// Name, first line and number of lines of each function that ends at its own indentation.
fn functions(text: &str) -> Vec<(&str, usize, usize)> {
    let lines: Vec<_> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let end = lines[at..].iter().position(|l| l.trim_end() == format!("{}}}", " ".repeat(indent(line))));
        // A declaration, or a function of one line, has no such end of its own before the next function.
        let next = lines[at + 1..].iter().position(|l| function_name(l).is_some() && indent(l) <= indent(line));
        if let Some(end) = end.filter(|end| next.is_none_or(|next| *end <= next + 1)) {
            found.push((name, at + 1, end + 1));
        }
    }
    found
}

fn function_name(line: &str) -> Option<&str> {
    let words = ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe", "extern", "\"C\""];
    let mut rest = line.trim_start();
    while let Some((word, tail)) = rest.split_once(' ') {
        if word == "fn" {
            return tail.split(['(', '<']).next();
        }
        if !words.contains(&word) && !word.starts_with("pub(in") {
            return None;
        }
        rest = tail;
    }
    None
}

#[test]
fn unsafe_stays_behind_its_walls_and_is_explained() {
    let mut wrong = Vec::new();
    for (file, text) in sources("rs") {
        let lines: Vec<_> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if !has_word(code, &format!("{}{}", "un", "safe")) || code.contains("forbid(") || code.contains("_code") {
                continue;
            }
            let place = format!("{file}:{}", at + 1);
            if !MAY_BE_UNSAFE.iter().any(|folder| file.starts_with(folder)) && !file.ends_with("tidy.rs") {
                wrong.push(format!("{place}: unsafe outside {MAY_BE_UNSAFE:?}"));
            }
            if code.contains("{") && has_block(code) && !explained(&lines, at, "SAFETY") {
                wrong.push(format!("{place}: an unsafe block without a `// SAFETY:` that names who guarantees it"));
            }
            let is_function = function_name(code).is_some();
            if is_function && code.trim_start().starts_with("pub") && !explained(&lines, at, "# Safety") {
                wrong.push(format!("{place}: an unsafe fn without `# Safety` that names the moment"));
            }
        }
    }
    nothing(&wrong);
}

fn has_block(code: &str) -> bool {
    code.contains(&format!("{}{} {{", "un", "safe"))
}

fn has_word(code: &str, word: &str) -> bool {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word) && !code.contains(&format!("\"{word}"))
}

/// Whether `what` stands in the comment and attribute lines above, or in the statement that line `at` goes on.
fn explained(lines: &[&str], at: usize, what: &str) -> bool {
    let begins = |line: &str| line.ends_with([';', '{', '}']) && !line.starts_with("//");
    lines[at].contains(what)
        || lines[..at]
            .iter()
            .rev()
            .map(|l| l.trim())
            .take_while(|l| !begins(l) && !l.is_empty())
            .any(|l| l.contains(what))
}

#[test]
fn nothing_is_silenced_or_left_for_later() {
    // Put together here so that the list does not find itself.
    let banned: Vec<_> = [
        ("#[al", "low("),
        ("#![al", "low("),
        ("#[ig", "nore"),
        ("to", "do!("),
        ("TO", "DO"),
        ("FIX", "ME"),
        ("XX", "X:"),
    ]
    .iter()
    .map(|(a, b)| format!("{a}{b}"))
    .collect();
    let mut wrong = Vec::new();
    for (file, text) in sources("rs").into_iter().chain(sources("sh")) {
        for (at, line) in text.lines().enumerate() {
            wrong.extend(banned.iter().filter(|b| line.contains(&**b)).map(|b| format!("{file}:{}: `{b}`", at + 1)));
        }
    }
    nothing(&wrong);
}

#[test]
fn no_machine_of_ours_is_named() {
    let paths = ["work", "root", "home"].map(|folder| format!("/{folder}/"));
    let mut wrong = Vec::new();
    for file in tracked() {
        let Ok(text) = std::fs::read_to_string(workspace().join(&file)) else { continue };
        for (at, line) in text.lines().enumerate() {
            if paths.iter().any(|path| names_path(line, path)) {
                wrong.push(format!("{file}:{}: a path of one machine: {}", at + 1, line.trim()));
            }
            wrong.extend(
                hosts(line).filter(|h| !KNOWN_HOSTS.contains(h)).map(|h| format!("{file}:{}: host `{h}`", at + 1)),
            );
        }
    }
    nothing(&wrong);
}

/// Whether `path` stands in `line` as an absolute path, not as the end of a longer one.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !"_-.$}*".contains(c))
    })
}

fn hosts(line: &str) -> impl Iterator<Item = &str> {
    let end = |c: char| !(c.is_alphanumeric() || c == '.' || c == '-');
    line.split("://").skip(1).map(move |tail| tail.split(end).next().unwrap_or_default()).filter(|h| h.contains('.'))
}

#[test]
fn the_changelog_knows_the_version() {
    let version = env!("CARGO_PKG_VERSION");
    let text = read("CHANGELOG.md");
    assert!(text.lines().any(|l| l.starts_with("## ") && l.contains(version)), "CHANGELOG.md has no `## {version}`");
}

#[test]
fn the_design_document_is_short_and_true() {
    let text = read("DESIGN.md");
    let mut wrong = Vec::new();
    if text.lines().count() > DESIGN_LINES {
        wrong.push(format!("DESIGN.md: {} lines, at most {DESIGN_LINES}", text.lines().count()));
    }
    for name in text.split('`').skip(1).step_by(2) {
        let is_path = name.contains('/')
            && !name.contains([' ', '*', '<', '{', '$', '=', '|'])
            && !name.starts_with(['/', '-', '~']);
        if is_path && !workspace().join(name).exists() && !name.starts_with("target/") {
            wrong.push(format!("DESIGN.md: `{name}` does not exist"));
        }
    }
    nothing(&wrong);
}

#[test]
fn every_directive_is_documented() {
    let table = directive::markdown();
    let path = workspace().join("testsuite/cases/README.md");
    let text = std::fs::read_to_string(&path).expect("cases/README.md is there");
    let (head, tail) = text.split_once("<!-- directives -->\n").expect("README.md has a place for the table");
    if !tail.starts_with(&table) {
        if std::env::var_os("DSU_BLESS").is_some() {
            std::fs::write(&path, format!("{head}<!-- directives -->\n{table}")).expect("README.md is writable");
        } else {
            panic!(
                "testsuite/cases/README.md is not what the table of directives says; `DSU_BLESS=1 cargo test` writes it"
            );
        }
    }
}

fn nothing(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} places:\n{}", wrong.len(), wrong.join("\n"));
}

fn read(file: &str) -> String {
    std::fs::read_to_string(workspace().join(file)).unwrap_or_else(|error| panic!("failed to read `{file}`: {error}"))
}

/// Every file under version control, as a path from the workspace's root.
fn tracked() -> Vec<String> {
    let output = Command::new("git").arg("ls-files").current_dir(workspace()).output().expect("git runs");
    let text = String::from_utf8(output.stdout).expect("our file names are ASCII");
    let files: Vec<String> = text.lines().map(Into::into).collect();
    assert!(!files.is_empty(), "no file is under version control: these tests need a git checkout");
    files
}

/// Tracked files with this extension, and their text.
fn sources(extension: &str) -> BTreeMap<String, String> {
    let wanted = |file: &String| Path::new(file).extension().is_some_and(|e| e == extension);
    let text = |file: String| -> Option<(String, String)> {
        let path: PathBuf = workspace().join(&file);
        Some((file, std::fs::read_to_string(path).ok()?))
    };
    tracked().into_iter().filter(wanted).filter_map(text).collect()
}
