//! What changed in the source of a function, where the source is at hand.

use std::path::{Component, PathBuf};

use md5::{Digest, Md5};
use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use crate::build::hex;

/// Where debug information says that a function's source is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceRef {
    /// The file.
    pub path: PathBuf,
    /// The line of the function's name.
    pub line: usize,
    /// MD5 of the file when it was compiled.
    pub md5: Option<String>,
}

impl SourceRef {
    /// Where to look for it: each `..` takes the folder before it away where that is not there any more.
    fn place(&self) -> PathBuf {
        if self.path.exists() {
            return self.path.clone();
        }
        self.path.components().fold(PathBuf::new(), |mut done, part| {
            match part {
                Component::ParentDir => drop(done.pop()),
                part => done.push(part),
            }
            done
        })
    }
}

/// Old and new source of one function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePair {
    /// The function.
    pub title: String,
    /// In the base.
    pub old: Option<SourceRef>,
    /// In the new build.
    pub new: Option<SourceRef>,
}

/// A line of a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    /// ` `, `-`, `+`, or `@` for a gap.
    pub marker: char,
    /// Line in the new file, of lines that it has.
    pub number: Option<usize>,
    /// The text.
    pub text: String,
}

/// The difference of one function's source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct SourceDiff {
    /// The function.
    pub title: String,
    /// Empty when nothing differs, or nothing can be shown.
    pub lines: Vec<Line>,
    /// Why nothing is shown.
    pub note: Option<String>,
}

impl SourcePair {
    /// The old source at the same place in the first tree as the new one in the second, if it is not where it was compiled.
    pub(crate) fn with_old_in(mut self, trees: Option<&(PathBuf, PathBuf)>) -> Self {
        if let (Some(old), Some(new), Some((before, after))) = (&mut self.old, &self.new, trees)
            && let Ok(place) = new.path.strip_prefix(after)
            && !old.place().exists()
        {
            old.path = before.join(place);
        }
        self
    }

    /// Reads both files and compares the function.
    pub(crate) fn diff(&self) -> SourceDiff {
        let title = self.title.clone();
        let none = |note: String| SourceDiff { title: self.title.clone(), lines: Vec::new(), note: Some(note) };
        let read = |side: &Option<SourceRef>| side.as_ref().map(text).transpose();
        match (read(&self.old), read(&self.new)) {
            (Err(note), _) | (_, Err(note)) => none(note),
            (Ok(None), Ok(None)) => none(String::from("debug information names no source file")),
            (Ok(old), Ok(new)) => {
                let first = self.new.as_ref().map_or(1, |s| s.line) - new.as_ref().map_or(0, |f| f.above);
                let lines = |found: Option<Found>| found.map(|f| f.text).unwrap_or_default();
                let lines = compare(&lines(old), &lines(new), first.max(1));
                let same = lines.is_empty().then(|| String::from("the function's own source is the same in both"));
                SourceDiff { title, lines, note: same }
            }
        }
    }
}

/// A function in its file.
struct Found {
    text: String,
    /// Lines before the one with its name.
    above: usize,
}

fn text(source: &SourceRef) -> Result<Found, String> {
    let place = source.place();
    let shown = place.display();
    let bytes = std::fs::read(&place).map_err(|_| format!("the source `{shown}` is not on this machine"))?;
    if source.md5.as_ref().is_some_and(|wanted| hex(&Md5::digest(&bytes)) != *wanted) {
        return Err(format!("`{shown}` was changed since it was compiled"));
    }
    let text = String::from_utf8_lossy(&bytes);
    let missing = || format!("`{shown}` has no function at line {}", source.line);
    function_at(&text, source.line).ok_or_else(missing)
}

/// The function whose name stands in line `line`: from what precedes the name (its type, a comment) to its last brace.
fn function_at(text: &str, line: usize) -> Option<Found> {
    let lines: Vec<&str> = text.lines().collect();
    let at = line.checked_sub(1).filter(|at| *at < lines.len())?;
    let ends = |l: &str| {
        let l = l.trim();
        l.is_empty() || l.ends_with([';', '}']) || l.starts_with('#') || l.ends_with("*/") || l.starts_with("//")
    };
    let above = lines[..at].iter().rev().take(4).take_while(|l| !ends(l)).count();
    let length = length_of(&lines[at..])?;
    Some(Found { text: lines.get(at - above..at + length)?.join("\n"), above })
}

/// How many lines until the braces are balanced; strings, characters and comments hide theirs.
fn length_of(lines: &[&str]) -> Option<usize> {
    let (mut depth, mut comment) = (0i32, false);
    for (number, line) in lines.iter().enumerate() {
        let mut rest = line.char_indices().peekable();
        let mut quote = None;
        while let Some((at, c)) = rest.next() {
            let pair = line.get(at..).unwrap_or_default();
            match (comment, quote, c) {
                (true, ..) if pair.starts_with("*/") => comment = false,
                (true, ..) => {}
                (_, Some(_), '\\') => drop(rest.next()),
                (_, Some(open), _) => quote = quote.filter(|_| c != open),
                (_, None, '"' | '\'') => quote = Some(c),
                _ if pair.starts_with("/*") => comment = true,
                _ if pair.starts_with("//") => break,
                (_, _, '{') => depth += 1,
                (_, _, '}') => depth -= 1,
                // A declaration is no function.
                (_, _, ';') if depth == 0 => return None,
                _ => {}
            }
            if c == '}' && depth == 0 && !comment && quote.is_none() {
                return Some(number + 1);
            }
        }
    }
    None
}

fn compare(old: &str, new: &str, first: usize) -> Vec<Line> {
    let diff = TextDiff::from_lines(old, new);
    let mut out = Vec::new();
    for (number, group) in diff.grouped_ops(3).iter().enumerate() {
        if number > 0 {
            out.push(Line { marker: '@', number: None, text: String::new() });
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let marker = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            let text = change.value().trim_end_matches(['\n', '\r']).to_owned();
            out.push(Line { marker, number: change.new_index().map(|i| first + i), text });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "int a;\n\nstatic long\nf(int x) /* { */\n{\n    if (x == '}') {\n        puts(\"}\\\"\"); // }\n    \
                        }\n    return x;\n}\nint g(void) { return 1; }\n";

    #[test]
    fn a_function_ends_where_its_braces_do() {
        let found = function_at(TEXT, 4).expect("f is there");
        assert!(
            found.text.starts_with("static long\nf(int x)") && found.text.ends_with("return x;\n}"),
            "{}",
            found.text
        );
        assert_eq!(found.above, 1);
        assert_eq!(function_at(TEXT, 11).expect("g is there").text, "int g(void) { return 1; }");
        assert!(function_at(TEXT, 1).is_none() && function_at(TEXT, 99).is_none());
    }

    #[test]
    fn a_file_that_changed_since_is_not_shown() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let path = directory.path().join("a.c");
        std::fs::write(&path, TEXT).expect("writable");
        let source = |md5: &str| Some(SourceRef { path: path.clone(), line: 4, md5: Some(md5.into()) });
        let right = hex(&Md5::digest(TEXT));
        let pair = |md5: &str| SourcePair { title: "f".into(), old: source(&right), new: source(md5) };
        assert!(pair(&right).diff().note.expect("equal").contains("the same in both"));
        assert!(pair("00").diff().note.expect("refused").contains("was changed since"));
    }

    #[test]
    fn lines_have_the_numbers_of_the_new_file() {
        let lines = compare("a\nb\nc", "a\nx\nc", 10);
        let shown: Vec<_> = lines.iter().map(|l| (l.marker, l.number)).collect();
        assert_eq!(shown, [(' ', Some(10)), ('-', None), ('+', Some(11)), (' ', Some(12))]);
    }
}
