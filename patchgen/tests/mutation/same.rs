//! Rewritings of a text that mean nothing: each gives the same program under other names, numbers, and in another order.

use std::collections::{BTreeMap, BTreeSet};

use patchgen::ir::lex::{Token, TokenKind, tokens};

/// A rewriting with its name.
pub(crate) type Rewriting = (&'static str, fn(&str) -> String);

/// All of them.
pub(crate) const REWRITINGS: [Rewriting; 9] = [
    ("values and labels renamed", rename_locals),
    ("metadata renumbered", renumber_metadata),
    ("attribute groups renumbered", renumber_groups),
    ("private constants renamed", rename_private),
    ("static locals renumbered", renumber_static_locals),
    ("types renamed", rename_types),
    ("order turned around", reorder),
    ("indented and commented", comment),
    ("lines shifted", shift_lines),
];

/// The text with some tokens replaced.
fn replace(text: &str, mut new: impl FnMut(&Token<'_>) -> Option<String>) -> String {
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for token in tokens(text) {
        if let Some(new) = new(&token) {
            out.push_str(&text[from..token.at]);
            out.push_str(&new);
            from = token.end();
        }
    }
    out + &text[from..]
}

fn heads(text: &str, sigil: char) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter(move |l| l.starts_with(sigil)).filter_map(|l| l.split_once(" = "))
}

fn types(text: &str) -> BTreeSet<&str> {
    heads(text, '%').map(|(name, _)| name).collect()
}

fn rename_locals(text: &str) -> String {
    let types = types(text);
    let mut names: BTreeMap<(String, String), usize> = BTreeMap::new();
    let (mut function, mut defining, mut label_of) = (String::new(), false, 0);
    let mut outer = String::new();
    let mut depth = 0;
    replace(text, |token| {
        match (token.kind, token.text) {
            (TokenKind::Word, "define") if depth == 0 => defining = true,
            (TokenKind::Global, name) if defining => {
                function = name.to_owned();
                defining = false;
            }
            (TokenKind::Punct, "{") => depth += 1,
            (TokenKind::Punct, "}") => depth -= 1,
            (TokenKind::Word, "blockaddress") => label_of = 1,
            (TokenKind::Global, name) if label_of == 1 => {
                outer = std::mem::replace(&mut function, name.to_owned());
                label_of = 2;
            }
            _ => {}
        }
        let name = match token.kind {
            TokenKind::Local if !types.contains(token.text) => &token.text[1..],
            TokenKind::Label => token.text,
            _ => return None,
        };
        let next = 7 * names.len();
        let number = *names.entry((function.clone(), name.to_owned())).or_insert(next);
        if label_of == 2 {
            function = std::mem::take(&mut outer);
            label_of = 0;
        }
        Some(if token.kind == TokenKind::Label { format!("v{number}") } else { format!("%v{number}") })
    })
}

fn numbered(name: &str) -> Option<usize> {
    name.get(1..)?.parse().ok()
}

fn renumber_metadata(text: &str) -> String {
    let most = heads(text, '!').filter_map(|(name, _)| numbered(name)).max().unwrap_or(0);
    replace(text, |t| numbered(t.text).filter(|_| t.kind == TokenKind::Meta).map(|n| format!("!{}", most + 5 - n)))
}

fn renumber_groups(text: &str) -> String {
    replace(text, |t| numbered(t.text).filter(|_| t.kind == TokenKind::Attributes).map(|n| format!("#{}", 900 - n)))
}

/// Renames variables of which `wanted` holds for their definition.
fn rename_globals(text: &str, wanted: impl Fn(&str, &str) -> bool, name: impl Fn(&str, usize) -> String) -> String {
    let found = heads(text, '@').filter(|(name, definition)| wanted(name, definition));
    let names: BTreeMap<&str, String> = found.enumerate().map(|(n, (old, _))| (old, name(old, n))).collect();
    replace(text, |t| names.get(t.text).filter(|_| t.kind == TokenKind::Global).cloned())
}

fn rename_private(text: &str) -> String {
    rename_globals(text, |_, definition| definition.starts_with("private "), |_, n| format!("@.str.{}", 1000 - n))
}

/// `f.x` becomes `f.x.7` where debug information says that it is the `x` of `f`.
fn renumber_static_locals(text: &str) -> String {
    let node = |reference: &str| heads(text, '!').find(|(name, _)| *name == reference).map(|(_, n)| n);
    let field = |node: &str, key: &str| -> Option<String> {
        Some(node.split_once(key)?.1.split([',', ')']).next()?.to_owned())
    };
    let in_function = |name: &str, definition: &str| -> bool {
        let scope = || {
            let expression = node(definition.rsplit_once("!dbg ")?.1.split(',').next()?)?;
            node(&field(node(&field(expression, "var: ")?)?, "scope: ")?)
        };
        name.contains('.') && scope().is_some_and(|s| s.contains("DISubprogram") || s.contains("DILexicalBlock"))
    };
    rename_globals(text, in_function, |old, n| format!("{old}.{}", 40 + n))
}

fn rename_types(text: &str) -> String {
    let names: BTreeMap<&str, String> =
        types(text).into_iter().enumerate().map(|(n, name)| (name, format!("%\"type {n}\""))).collect();
    replace(text, |t| names.get(t.text).filter(|_| t.kind == TokenKind::Local).cloned())
}

/// Functions, variables, types, metadata and groups in the opposite order, except that static locals of one name
/// keep theirs: it is what tells them apart.
fn reorder(text: &str) -> String {
    let mut blocks: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        match blocks.last_mut().filter(|_| open) {
            Some(block) => {
                block.push_str(line);
                block.push('\n');
            }
            None => blocks.push(format!("{line}\n")),
        }
        open = (open || line.starts_with("define ")) && line != "}";
    }
    let stem = |block: &str| -> Option<String> {
        let name = block.strip_prefix('@')?.split(" = ").next()?;
        Some(name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').to_owned())
    };
    blocks.reverse();
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, block) in blocks.iter().enumerate() {
        groups.entry(stem(block).unwrap_or_else(|| format!("\n{at}"))).or_default().push(at);
    }
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    for places in groups.values() {
        for (place, item) in places.iter().zip(places.iter().rev()) {
            order[*place] = *item;
        }
    }
    order.into_iter().map(|at| blocks[at].as_str()).collect()
}

fn comment(text: &str) -> String {
    let mut out = String::from("; a comment @x %y !7\n\n");
    for line in text.lines() {
        let body = line.starts_with("  ");
        let indent = if body { "\t   " } else { "" };
        let end = if body { "   ; as \"said\" by #9 and @z" } else { "" };
        out.push_str(&format!("{indent}{line}{end}\n"));
        if body && line.contains(" = ") {
            out.push_str("  ; between two\n");
        }
    }
    out
}

fn shift_lines(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        match line.split_once("line: ").filter(|_| line.contains("!DI")) {
            Some((head, tail)) => {
                let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
                let number: u64 = tail[..digits].parse().expect("a line number");
                out.push_str(&format!("{head}line: {}{}", number + 13, &tail[digits..]));
            }
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}
