//! Headers of functions and variables, word by word.

use super::lex::{Kind, Token, tokens};

const LINKAGES: [&str; 11] = [
    "private",
    "internal",
    "available_externally",
    "linkonce",
    "linkonce_odr",
    "weak",
    "weak_odr",
    "common",
    "appending",
    "extern_weak",
    "external",
];

/// Words that say where a symbol is seen from; they say nothing about what it does.
pub const VISIBILITY_WORDS: [&str; 8] = [
    "default",
    "hidden",
    "protected",
    "dso_local",
    "dso_preemptable",
    "unnamed_addr",
    "local_unnamed_addr",
    "dllexport",
];

/// Is it a linkage keyword?
pub fn is_linkage(word: &str) -> bool {
    LINKAGES.contains(&word)
}

/// Can another definition of the name win over this one?
pub fn is_weak(linkage: &str) -> bool {
    matches!(linkage, "linkonce" | "linkonce_odr" | "weak" | "weak_odr" | "common" | "extern_weak")
}

/// A function's header and body.
#[derive(Debug, Clone)]
pub struct Function<'a> {
    /// Printed name, without `@`.
    pub name: &'a str,
    /// Linkage keyword; `external` when none is printed.
    pub linkage: &'a str,
    /// Between `define`/`declare` and the name.
    pub before: &'a str,
    /// Between the parentheses.
    pub inside: &'a str,
    /// Behind them, without the `{`.
    pub after: &'a str,
    /// Lines between the braces; `None` for a declaration.
    pub body: Option<&'a str>,
}

impl<'a> Function<'a> {
    /// Splits `define ... {` or `declare ...`.
    pub(super) fn parse(line: &'a str, body: Option<&'a str>) -> Option<Self> {
        let line = line.strip_prefix("define ").or_else(|| line.strip_prefix("declare "))?;
        let mut line = line.strip_suffix('{').unwrap_or(line);
        // `declare !dbg !7 i32 @f()`: attachments stand in front.
        while line.starts_with('!') {
            line = line.splitn(3, ' ').nth(2)?;
        }
        let all: Vec<Token<'_>> = tokens(line).collect();
        let name = all.windows(2).position(|w| w[0].kind == Kind::Global && w[1].is("("))?;
        let close = closing(&all, name + 1)?;
        let linkage = all[..name].iter().find(|t| t.kind == Kind::Word && is_linkage(t.text));
        Some(Self {
            name: all[name].name(),
            linkage: linkage.map_or("external", |t| t.text),
            before: line.get(..all[name].at)?,
            inside: line.get(all[name + 1].end()..all[close].at)?,
            after: line.get(all[close].end()..)?.trim(),
            body,
        })
    }

    /// Parameters, each with its attributes, and `...` of a variadic function.
    pub fn parameters(&self) -> Vec<&'a str> {
        split_commas(self.inside)
    }

    /// An intrinsic: known to LLVM, no symbol of its own.
    pub fn is_intrinsic(&self) -> bool {
        self.name.starts_with("llvm.")
    }
}

/// A variable or constant.
#[derive(Debug, Clone)]
pub struct Global<'a> {
    /// Printed name, without `@`.
    pub name: &'a str,
    /// Linkage keyword; `external` when none is printed.
    pub linkage: &'a str,
    /// `unnamed_addr`, `local_unnamed_addr` or nothing.
    pub address: &'a str,
    /// Printed as `dso_local`: references reach this very definition.
    pub local: bool,
    /// `thread_local` with its model, when thread-local.
    pub tls: Option<&'a str>,
    /// `constant` rather than `global`.
    pub constant: bool,
    /// `externally_initialized`, `addrspace(N)`: anything else before the type.
    pub other: &'a str,
    /// Type.
    pub kind_of_value: &'a str,
    /// Initialiser; `None` for a declaration.
    pub initialiser: Option<&'a str>,
    /// Section, comdat, alignment, metadata: from the first comma on.
    pub tail: &'a str,
}

impl<'a> Global<'a> {
    /// Splits what stands behind `@name = `.
    pub(super) fn parse(name: &'a str, text: &'a str) -> Option<Self> {
        let all: Vec<Token<'_>> = tokens(text).collect();
        let word = all.iter().position(|t| t.is("global") || t.is("constant"))?;
        let front = all.get(..word)?;
        let find = |wanted: &dyn Fn(&str) -> bool| front.iter().position(|t| t.kind == Kind::Word && wanted(t.text));
        let linkage = find(&is_linkage).map_or("external", |i| front[i].text);
        let address = find(&|w| w.ends_with("unnamed_addr")).map_or("", |i| front[i].text);
        let tls = match find(&|w| w == "thread_local") {
            Some(i) if all[i + 1].is("(") => text.get(all[i].at..all[closing(&all, i + 1)?].end()),
            Some(i) => Some(all[i].text),
            None => None,
        };
        let other = find(&|w| w == "externally_initialized" || w == "addrspace")
            .map_or("", |i| text.get(all[i].at..all[word].at).unwrap_or_default().trim());
        let type_end = type_end(&all, word + 1)?;
        let kind_of_value = text.get(all[word + 1].at..all[type_end - 1].end())?;
        let mut depth = 0i32;
        let comma = (type_end..all.len()).find(|&i| {
            depth += nesting(&all[i]);
            depth == 0 && all[i].is(",")
        });
        let end = comma.map_or(text.len(), |i| all[i].at);
        let initialiser = text.get(all[type_end - 1].end()..end)?.trim();
        Some(Self {
            name,
            linkage,
            address,
            local: front.iter().any(|t| t.is("dso_local")),
            tls,
            constant: all[word].text == "constant",
            other,
            kind_of_value,
            initialiser: (!initialiser.is_empty()).then_some(initialiser),
            tail: text.get(end..)?,
        })
    }

    /// Nobody may depend on its address: equal contents are equal things.
    pub fn is_unnamed(&self) -> bool {
        self.address == "unnamed_addr"
    }

    /// A constant known by its content alone (string literals, lookup tables).
    pub fn is_anonymous(&self) -> bool {
        self.constant
            && self.initialiser.is_some()
            && (self.linkage == "private" || (self.linkage == "internal" && self.is_unnamed()))
    }

    /// The section it is put in by name.
    pub fn section(&self) -> Option<&'a str> {
        self.tail_items().into_iter().find_map(|i| i.strip_prefix("section "))
    }

    /// The tail's items: `align 4`, `section "x"`, `!dbg !7`, ...
    pub fn tail_items(&self) -> Vec<&'a str> {
        split_commas(self.tail).into_iter().filter(|s| !s.is_empty()).collect()
    }

    /// The node behind `!dbg`.
    pub fn debug(&self) -> Option<&'a str> {
        self.tail_items().into_iter().find_map(|item| item.strip_prefix("!dbg "))
    }
}

fn nesting(token: &Token<'_>) -> i32 {
    match (token.kind, token.text) {
        (Kind::Punct, "(" | "[" | "{" | "<") => 1,
        (Kind::Punct, ")" | "]" | "}" | ">") => -1,
        _ => 0,
    }
}

/// Index of the bracket that closes the one at `open`.
pub fn closing(all: &[Token<'_>], open: usize) -> Option<usize> {
    let mut depth = 0;
    (open..all.len()).find(|&i| {
        depth += nesting(&all[i]);
        depth == 0
    })
}

/// Index of the token behind the type that starts at `start`.
pub fn type_end(all: &[Token<'_>], start: usize) -> Option<usize> {
    let first = all.get(start)?;
    let mut end = if nesting(first) == 1 { closing(all, start)? + 1 } else { start + 1 };
    // `ptr addrspace(1)`, `target("x")`, and a function's type: `i32 (ptr, ...)`.
    while let Some(next) = all.get(end) {
        if next.is("addrspace") {
            end = closing(all, end + 1)? + 1;
        } else if next.is("(") && first.kind != Kind::Text {
            end = closing(all, end)? + 1;
        } else {
            break;
        }
    }
    Some(end)
}

/// Splits at commas outside brackets; blank text has no items.
pub fn split_commas(text: &str) -> Vec<&str> {
    let (mut items, mut start, mut depth) = (Vec::new(), 0, 0);
    for token in tokens(text) {
        depth += nesting(&token);
        if depth == 0 && token.is(",") {
            items.extend(text.get(start..token.at).map(str::trim));
            start = token.end();
        }
    }
    items.extend(text.get(start..).map(str::trim));
    if items.len() == 1 && items[0].is_empty() {
        items.clear();
    }
    items
}
