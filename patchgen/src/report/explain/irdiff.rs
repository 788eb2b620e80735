//! The diff of a changed function, over canonical text: what is left are the differences that count.

use similar::{ChangeTag, TextDiff};

use crate::compare::diff::{Change, ChangeKind, Changes};
use crate::compare::fingerprint::{Canon, Canonical};
use crate::compare::resolve::{Definition, Resolver};
use crate::compare::side::Facts;
use crate::ir::lex::{TokenKind, tokens};

/// Functions beyond this are not diffed for display: the diff would be long and slow.
const MAX_LINES: usize = 20_000;

/// Old and new text of a function that changed.
#[derive(Debug, Clone)]
pub struct FunctionDiff {
    /// Unit and function.
    pub title: String,
    /// Which function it is.
    pub definition: Definition,
    /// Unified diff lines: marker and text.
    pub lines: Vec<(char, String)>,
    /// All differences lie in code inlined from this function.
    pub inlined: Option<String>,
}

impl FunctionDiff {
    /// As text, in colour on a terminal.
    pub fn text(&self, colour: bool) -> String {
        let mut out = format!("--- {}\n", self.title);
        for (marker, line) in &self.lines {
            let code = match (colour, marker) {
                (true, '-') => "\x1b[31m",
                (true, '+') => "\x1b[32m",
                _ => "",
            };
            let reset = if code.is_empty() { "" } else { "\x1b[0m" };
            out.push_str(&format!("{code}{marker} {line}{reset}\n"));
        }
        out
    }
}

/// Diffs of all changed bodies.
pub(super) fn diffs(resolver: &Resolver<'_, '_>, changes: &Changes) -> Vec<FunctionDiff> {
    let wanted = [ChangeKind::Body, ChangeKind::Signature];
    let list = changes.list.iter().filter(|c| c.function && wanted.contains(&c.kind));
    list.filter_map(|c| one(resolver, c)).collect()
}

fn one(resolver: &Resolver<'_, '_>, change: &Change) -> Option<FunctionDiff> {
    let old = change.pair.old.and_then(|i| resolver.old.facts(i))?;
    let new = change.pair.new.and_then(|i| resolver.new.facts(i))?;
    let (a, b) = (canonical(old, new.name_in(old, &change.symbol))?, canonical(new, &change.symbol)?);
    if a.places.len().max(b.places.len()) > MAX_LINES {
        return None;
    }
    let (before, after) = (readable(&a), readable(&b));
    let (x, y): (Vec<&str>, Vec<&str>) =
        (before.iter().map(String::as_str).collect(), after.iter().map(String::as_str).collect());
    let diff = TextDiff::from_slices(&x, &y);
    let mut lines = Vec::new();
    let mut scopes: Vec<Option<String>> = Vec::new();
    for group in diff.grouped_ops(2) {
        for operation in &group {
            for piece in diff.iter_changes(operation) {
                let (marker, scope) = match piece.tag() {
                    ChangeTag::Equal => (' ', None),
                    ChangeTag::Delete => {
                        ('-', piece.old_index().map(|i| inlined_from(old, a.places[i], &change.symbol)))
                    }
                    ChangeTag::Insert => {
                        ('+', piece.new_index().map(|i| inlined_from(new, b.places[i], &change.symbol)))
                    }
                };
                scopes.extend(scope);
                lines.push((marker, piece.value().to_string()));
            }
        }
    }
    let first = scopes.iter().flatten().next().cloned();
    let inlined = first.filter(|f| scopes.iter().flatten().all(|s| s == f) && own_code_is_same(&scopes));
    let definition = (new.index, change.symbol.clone());
    Some(FunctionDiff { title: format!("{} of {}", change.name, change.unit), definition, lines, inlined })
}

/// No differing line belongs to the function itself. Lines without a place (labels, joins) follow the others.
fn own_code_is_same(scopes: &[Option<String>]) -> bool {
    scopes.iter().flatten().all(|s| !s.is_empty())
}

fn canonical(facts: &Facts<'_>, symbol: &str) -> Option<Canonical> {
    let function = facts.module.function_named(symbol)?;
    Some(Canon::new(&facts.module, &facts.names, &facts.root).function(function))
}

/// Lines without value numbers, so that one new instruction does not renumber the rest; hashes shortened.
fn readable(canonical: &Canonical) -> Vec<String> {
    let shorten = |line: &str| {
        let mut out = String::new();
        let mut end = 0;
        for token in tokens(line) {
            if token.at > end && end != 0 {
                out.push(' ');
            }
            end = token.end();
            let hash = token.text.len() == 32 && token.text.bytes().all(|b| b.is_ascii_hexdigit());
            match token.kind {
                TokenKind::Local if token.name().bytes().all(|b| b.is_ascii_digit()) => out.push_str("%_"),
                TokenKind::Word if hash => out.push_str(&token.text[..8]),
                _ => out.push_str(token.text),
            }
        }
        out
    };
    canonical.text.lines().map(shorten).collect()
}

/// The function a line was inlined from; empty for the function's own code, `None` when the line has no place.
fn inlined_from(facts: &Facts<'_>, place: Option<usize>, symbol: &str) -> Option<String> {
    let location = facts.module.debug_node(&format!("!{}", place?))?;
    if location.number("line") == 0 {
        return None;
    }
    let scope = facts.module.subprogram(location.get("scope")?)?.text("name")?;
    Some(if scope == symbol || location.get("inlinedAt").is_none() { String::new() } else { scope })
}
