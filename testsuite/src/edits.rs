//! Versions of a source that are written beside the first one, line by line:
//! ```c
//! puts("one"); //#v2: puts("two");
//!     //#v2+: puts("three");
//! puts("four"); //#v2-
//! ```
//! In v2 the first line is `puts("two");`, the second is `puts("three");`, and the last is not there. In v1, and in every
//! version that no edit names, the first and the last line are what stands before the edit, and the second is not there.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};

/// What all that a case says in its sources begins with.
const SIGN: &str = "//#";

/// One edit of one line, for some versions.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edit<'a> {
    versions: Vec<&'a str>,
    kind: Kind<'a>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind<'a> {
    /// `//#v2: TEXT`: the line is this instead, with the indentation of the line.
    Replace(&'a str),
    /// `//#v2+: TEXT`: a further line, with the indentation of the edit.
    Insert(&'a str),
    /// `//#v2-`: the line is not there.
    Remove,
}

/// Whether a line that begins with `//#` is an edit and not a directive.
pub fn is_edit(line: &str) -> bool {
    line.strip_prefix(SIGN).is_some_and(begins_with_version)
}

/// The versions that the edits of `text` make.
///
/// # Errors
/// When an edit has not the form of one.
pub fn versions(text: &str) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for (at, line) in text.lines().enumerate() {
        let (_, edits) = edits_of(line).with_context(|| format!("line {}", at + 1))?;
        found.extend(edits.iter().flat_map(|edit| edit.versions.iter().map(ToString::to_string)));
    }
    Ok(found)
}

/// `text` as it is in `version`; that of v1 where no edit is for that version. Directives are lines of v1 alone, so that all
/// other lines have another number in the version that edits make, as after a change further up.
///
/// # Errors
/// When an edit has not the form of one.
pub fn render(text: &str, version: &str) -> Result<String> {
    let has_directives = !versions(text)?.contains(version);
    let mut out = String::new();
    for (at, line) in text.lines().enumerate() {
        if line.starts_with(SIGN) && !is_edit(line) {
            if has_directives {
                out += line;
                out += "\n";
            }
            continue;
        }
        let (before, edits) = edits_of(line).with_context(|| format!("line {}", at + 1))?;
        let own = edits.iter().find(|edit| edit.versions.contains(&version)).map(|edit| &edit.kind);
        let inserts = edits.iter().any(|edit| matches!(edit.kind, Kind::Insert(_)));
        let indented = |text: &str| {
            let indentation = &line[..line.len() - line.trim_start().len()];
            if text.is_empty() { String::new() } else { format!("{indentation}{text}") }
        };
        let line = match own {
            Some(Kind::Replace(text) | Kind::Insert(text)) => indented(text),
            Some(Kind::Remove) => continue,
            None if inserts => continue,
            None => before.to_owned(),
        };
        out += &line;
        out += "\n";
    }
    Ok(out)
}

/// What stands before the edits of a line, and these.
fn edits_of(line: &str) -> Result<(&str, Vec<Edit<'_>>)> {
    let starts: Vec<usize> =
        line.match_indices(SIGN).map(|(at, _)| at).filter(|at| begins_with_version(&line[at + SIGN.len()..])).collect();
    let Some(&first) = starts.first() else { return Ok((line, Vec::new())) };
    let before = line[..first].trim_end();
    let mut edits = Vec::new();
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(line.len());
        let text = line[start + SIGN.len()..end].trim_end();
        let edit =
            edit(text).with_context(|| format!("`{SIGN}{text}` is none of `//#vN: LINE`, `//#vN+: LINE`, `//#vN-`"))?;
        let inserts = matches!(edit.kind, Kind::Insert(_));
        ensure!(
            inserts == before.is_empty(),
            "`{SIGN}{text}`: only an inserted line, which stands alone, has nothing before it"
        );
        let again = edits.iter().any(|other: &Edit<'_>| other.versions.iter().any(|v| edit.versions.contains(v)));
        ensure!(!again, "`{SIGN}{text}`: the line has another edit for that version");
        edits.push(edit);
    }
    Ok((before, edits))
}

/// `v2: LINE`, `v2,v3+: LINE`, `v2-`.
fn edit(text: &str) -> Result<Edit<'_>> {
    let end = text.find([':', '+', '-']).context("no `:`, `+:` or `-`")?;
    let (names, tail) = text.split_at(end);
    let versions: Vec<&str> = names.split(',').collect();
    for version in &versions {
        let number = version.strip_prefix('v').and_then(|number| number.parse::<u32>().ok());
        ensure!(number.is_some_and(|number| number > 1), "`{version}` is no version after v1");
    }
    let kind = match (tail.strip_prefix("+:"), tail.strip_prefix(':')) {
        (Some(text), _) => Kind::Insert(text.trim_start()),
        (None, Some(text)) => Kind::Replace(text.trim_start()),
        (None, None) if tail == "-" => Kind::Remove,
        (None, None) => bail!("something follows"),
    };
    Ok(Edit { versions, kind })
}

fn begins_with_version(body: &str) -> bool {
    body.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "//#Send:x\n  a; // why //#v2: b; //#v3-\n  //#v2,v3+: c;\n//#v3+:\nd; //#v2:\n";

    #[test]
    fn a_version_is_the_first_one_with_its_own_edits() {
        let text = |version| render(TEXT, version).expect("edits of the right form");
        assert_eq!(text("v1"), "//#Send:x\n  a; // why\nd;\n");
        assert_eq!(text("v2"), "  b;\n  c;\n\n");
        assert_eq!(text("v3"), "  c;\n\nd;\n");
        assert_eq!(text("v4"), "//#Send:x\n  a; // why\nd;\n");
        assert_eq!(Vec::from_iter(versions(TEXT).expect("as above")), ["v2", "v3"]);
    }

    #[test]
    fn an_edit_that_says_nothing_clear_is_an_error() {
        for line in
            ["a; //#v2", "a; //#v1: b;", "a; //#v2,3: b;", "a; //#v2- b;", "a; //#v2+: b;", "//#v2: b;", "//#v2-"]
        {
            assert!(versions(line).is_err(), "`{line}`");
        }
        assert!(versions("a; //#v2: b; //#v2-").is_err());
        assert!(versions("a; //#vN and //#Send:v2").expect("no edit").is_empty());
    }
}
