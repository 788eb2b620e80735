//! One thing of a text at a time, made another: by a walk over its tokens, so that nothing has to be thought of.

use std::collections::{BTreeMap, BTreeSet};

use patchgen::ir::lex::{Token, TokenKind, tokens};

/// A source of numbers that a seed repeats.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % limit as u64).expect("below the limit")
    }
}

/// What stands in one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Region {
    Define,
    Declare,
    Body,
    Global,
    Attributes,
    Metadata,
    Flags,
    Other,
}

/// A place where something can be flipped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site {
    region: Region,
    line: usize,
    /// Bytes in the whole text.
    from: usize,
    to: usize,
    kind: TokenKind,
}

/// The text and what is known about its lines.
pub(crate) struct Subject<'t> {
    text: &'t str,
    lines: Vec<(usize, &'t str)>,
    sites: Vec<Site>,
    globals: Vec<&'t str>,
    groups: Vec<&'t str>,
    types: Vec<&'t str>,
    nodes: BTreeMap<&'t str, &'t str>,
    /// Groups that some call carries.
    at_calls: BTreeSet<&'t str>,
}

/// Words that say who sees a symbol: code that sees it differently is different itself.
const WHO_SEES: [&str; 14] = [
    "private",
    "internal",
    "external",
    "common",
    "appending",
    "available_externally",
    "default",
    "hidden",
    "protected",
    "dso_local",
    "dso_preemptable",
    "unnamed_addr",
    "local_unnamed_addr",
    "dllexport",
];
/// Debug information, and attachments that steer no code.
const NO_CODE: [&str; 4] = ["!dbg", "!DIAssignID", "!srcloc", "!heapallocsite"];
/// Inferred, read by the optimiser alone: what it made of them is in the callers' text.
const INFERRED: [&str; 8] =
    ["memory", "norecurse", "nosync", "nofree", "willreturn", "mustprogress", "nocallback", "speculatable"];
/// The same about parameters and results of what is only declared.
const INFERRED_PARAMETER: [&str; 7] = ["nocapture", "readonly", "readnone", "writeonly", "noundef", "nonnull", "range"];

/// Module flags that describe debug information.
const ABOUT_DEBUG: [&str; 3] = ["\"Debug Info Version\"", "\"Dwarf Version\"", "\"debug-info-assignment-tracking\""];

impl<'t> Subject<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let mut subject = Subject {
            text,
            lines: Vec::new(),
            sites: Vec::new(),
            globals: Vec::new(),
            groups: Vec::new(),
            types: Vec::new(),
            nodes: BTreeMap::new(),
            at_calls: BTreeSet::new(),
        };
        let mut at = 0;
        for line in text.split('\n') {
            subject.lines.push((at, line));
            at += line.len() + 1;
            let name = line.split(" = ").next().unwrap_or_default();
            match line.bytes().next() {
                Some(b'@') => subject.globals.push(name),
                Some(b'%') => subject.types.push(name),
                Some(b'!') => drop(subject.nodes.insert(name, line)),
                _ => {}
            }
            subject.groups.extend(name.strip_prefix("attributes ").filter(|_| line.contains(" = {")));
        }
        subject.walk();
        subject
    }

    /// Places that can be flipped.
    pub(crate) fn sites(&self) -> &[Site] {
        &self.sites
    }

    fn walk(&mut self) {
        let reachable = self.reachable();
        let mut inside = false;
        for number in 0..self.lines.len() {
            let (start, line) = self.lines[number];
            let region = match line {
                "}" => {
                    inside = false;
                    continue;
                }
                _ if inside => Region::Body,
                _ if line.starts_with("define ") => Region::Define,
                _ if line.starts_with("declare ") => Region::Declare,
                _ if line.starts_with('@') => Region::Global,
                _ if line.starts_with("attributes ") => Region::Attributes,
                _ if line.starts_with("!llvm.module.flags") => Region::Flags,
                _ if line.starts_with('!') => Region::Metadata,
                _ => Region::Other,
            };
            inside |= region == Region::Define;
            let counts = match region {
                Region::Define | Region::Body => !line.trim_start().starts_with("#dbg_"),
                _ => reachable.contains(&number),
            };
            if counts {
                let sites = self.sites_of(region, number, start, line);
                self.sites.extend(sites);
            }
        }
    }

    /// Lines outside functions that lead, name by name, to code or to a variable.
    fn reachable(&self) -> BTreeSet<usize> {
        let mut by_name: BTreeMap<&str, usize> = BTreeMap::new();
        let mut queue = Vec::new();
        let mut inside = false;
        for (number, (_, line)) in self.lines.iter().enumerate() {
            let head = line.split(" = ").next().unwrap_or_default();
            match line.bytes().next() {
                Some(b'@' | b'%' | b'!' | b'$') => drop(by_name.insert(head, number)),
                Some(b'a') => drop(by_name.insert(head.trim_start_matches("attributes "), number)),
                Some(b'd') if line.starts_with("declare") => {
                    let name = tokens(line).find(|t| t.kind == TokenKind::Global).map_or("", |t| t.text);
                    by_name.insert(name, number);
                }
                _ => {}
            }
            inside |= line.starts_with("define ");
            let data = line.starts_with('@') && !line.starts_with("@llvm.") && !is_content(line);
            // Not the list of flags: what counts is each of them, and some (the version of debug information) do not.
            let module = ["target ", "module asm"].iter().any(|p| line.starts_with(p));
            if inside || module || (data && (line.contains(" alias ") || !line.contains("external "))) {
                queue.push(number);
            }
            inside &= *line != "}";
        }
        let mut seen = BTreeSet::new();
        while let Some(number) = queue.pop() {
            let line = self.lines[number].1;
            // An intrinsic's declaration follows from its name.
            let intrinsic = line.starts_with("declare ") && line.contains("@llvm.");
            let about_debug = ABOUT_DEBUG.iter().any(|f| line.contains(f)) || line.contains("= !DI");
            if intrinsic || about_debug || line.trim_start().starts_with("#dbg_") || !seen.insert(number) {
                continue;
            }
            let mut all = tokens(line);
            while let Some(token) = all.next() {
                if NO_CODE.contains(&token.text) {
                    all.next();
                }
                if token.kind != TokenKind::Comdat || line.starts_with("define ") {
                    queue.extend(by_name.get(token.text));
                }
            }
        }
        seen.retain(|n| !self.lines[*n].1.contains("distinct !DI"));
        seen
    }

    fn sites_of(&mut self, region: Region, line: usize, start: usize, text: &'t str) -> Vec<Site> {
        let all: Vec<Token<'t>> = tokens(text).collect();
        let mut out = Vec::new();
        let mut at = 0;
        while let Some(token) = all.get(at) {
            at += 1;
            if NO_CODE.contains(&token.text) {
                at += 1;
                continue;
            }
            if region == Region::Body && token.kind == TokenKind::Attributes {
                self.at_calls.insert(token.text);
            }
            let inferred = match region {
                Region::Declare => INFERRED_PARAMETER.contains(&token.text),
                Region::Attributes => INFERRED.contains(&token.text) || token.text == "nounwind",
                _ => false,
            };
            if inferred {
                if all.get(at).is_some_and(|t| t.is("(")) {
                    at += all[at..].iter().position(|t| t.is(")")).map_or(0, |n| n + 1);
                }
                continue;
            }
            let header = matches!(region, Region::Define | Region::Declare | Region::Global);
            // Which of several definitions the linker took is known from its record.
            let picked = region == Region::Global
                && (matches!(token.text, "comdat" | "weak" | "weak_odr" | "linkonce" | "linkonce_odr")
                    || token.kind == TokenKind::Comdat);
            let who = header && (WHO_SEES.contains(&token.text) || token.text == "fastcc");
            let own_name = match region {
                Region::Attributes => at <= 2,
                Region::Metadata | Region::Flags => at == 1,
                _ => false,
            };
            let skip = picked
                || token.kind == TokenKind::Word && (who || token.text == "fastcc")
                || matches!(token.kind, TokenKind::Punct | TokenKind::Newline | TokenKind::Label)
                || own_name
                || (region == Region::Other && token.kind == TokenKind::Local && at == 1)
                || (region == Region::Declare && token.kind == TokenKind::Local);
            if !skip {
                let (from, to) = (start + token.at, start + token.end());
                out.push(Site { region, line, from, to, kind: token.kind });
            }
        }
        out
    }

    /// The text with one thing flipped at a site; `None` when nothing that counts can be done there.
    pub(crate) fn flip(&self, site: &Site, random: &mut Random) -> Option<String> {
        let old = self.text.get(site.from..site.to)?;
        let new = match site.kind {
            TokenKind::Word => self.word(old, site, random)?,
            TokenKind::Text => text(old),
            TokenKind::Local => self.local(old, site, random)?,
            TokenKind::Global => other(old, &self.globals, random).filter(|n| self.tells_apart(old, n))?.to_owned(),
            TokenKind::Attributes => {
                other(old, &self.groups, random).filter(|n| self.group(n) != self.group(old))?.to_owned()
            }
            TokenKind::Meta => self.meta(old, random)?,
            TokenKind::Comdat => format!("{old}x"),
            TokenKind::Label | TokenKind::Punct | TokenKind::Newline => return None,
        };
        Some(format!("{}{new}{}", self.text.get(..site.from)?, self.text.get(site.to..)?))
    }

    fn word(&self, old: &str, site: &Site, random: &mut Random) -> Option<String> {
        if let Ok(number) = old.parse::<i128>() {
            return Some((number + 1 - 2 * random.below(2) as i128).to_string());
        }
        const SWAPS: [(&str, &str); 18] = [
            ("add", "sub"),
            ("eq", "ne"),
            ("slt", "ult"),
            ("sgt", "sge"),
            ("i32", "i64"),
            ("i64", "i32"),
            ("i8", "i16"),
            ("true", "false"),
            ("false", "true"),
            ("seq_cst", "acq_rel"),
            ("acquire", "monotonic"),
            ("zext", "sext"),
            ("sext", "zext"),
            ("lshr", "ashr"),
            ("and", "or"),
            ("double", "float"),
            ("signext", "zeroext"),
            ("ptr", "i64"),
        ];
        match SWAPS.iter().find(|(from, _)| *from == old) {
            // A keyword that is taken away, as `nsw` would be.
            None if random.below(2) == 0 && site.region != Region::Other => Some(String::new()),
            Some((_, to)) if random.below(3) != 0 => Some((*to).to_owned()),
            _ => Some(format!("{old}x")),
        }
    }

    /// Another value of the same function. One that occurs only here has no other name to be confused with.
    fn local(&self, old: &'t str, site: &Site, random: &mut Random) -> Option<String> {
        if self.types.contains(&old) || !matches!(site.region, Region::Body | Region::Define) {
            return other(old, &self.types, random).map(str::to_owned);
        }
        let first = (0..=site.line).rev().find(|n| self.lines[*n].1.starts_with("define "))?;
        let body = self.lines[first..].iter().take_while(|(_, l)| *l != "}");
        let body: Vec<&str> = body.map(|(_, l)| *l).filter(|l| !l.trim_start().starts_with("#dbg_")).collect();
        let names: Vec<&str> = body
            .iter()
            .flat_map(|l| tokens(l))
            .filter(|t| t.kind == TokenKind::Local && !self.types.contains(&t.text))
            .map(|t| t.text)
            .collect();
        let label = format!("{}:", old.get(1..)?);
        let known = names.iter().filter(|n| **n == old).count() + body.iter().filter(|l| l.starts_with(&label)).count();
        if known < 2 {
            return None;
        }
        other(old, &names, random).map(str::to_owned)
    }

    fn meta(&self, old: &str, random: &mut Random) -> Option<String> {
        let Some(node) = self.nodes.get(old).filter(|_| old[1..].bytes().all(|b| b.is_ascii_digit())) else {
            return Some(match old.strip_suffix('"') {
                Some(open) => format!("{open}x\""),
                None => format!("{old}x"),
            });
        };
        // Nodes with identity are told apart by where else they occur, which one flip may not change.
        let plain = |n: &str| !n.contains("distinct ") && !n.contains("!DI");
        let value = |n: &'t str| n.split_once(" = ").map_or("", |(_, v)| v);
        let own = value(node);
        let children = |n: &str| {
            tokens(n).skip(1).any(|t| t.kind == TokenKind::Meta && t.text[1..].bytes().all(|b| b.is_ascii_digit()))
        };
        let choices: Vec<&str> = self
            .nodes
            .iter()
            .filter(|(_, n)| plain(n) && value(n) != own && !children(value(n)))
            .map(|(name, _)| *name)
            .collect();
        (plain(node) && !choices.is_empty()).then(|| choices[random.below(choices.len())].to_owned())
    }

    /// A group without what is inferred.
    fn group(&self, name: &str) -> Vec<&'t str> {
        let head = format!("attributes {name} = ");
        let line = self.lines.iter().find_map(|(_, l)| l.strip_prefix(head.as_str())).unwrap_or_default();
        let mut words: Vec<&str> = line.split(' ').filter(|w| *w != "nounwind").collect();
        words.retain(|w| !INFERRED.iter().any(|i| w.starts_with(i)) && !w.ends_with(')'));
        words
    }

    /// Constants of one content are one thing.
    fn tells_apart(&self, a: &str, b: &str) -> bool {
        let of = |name: &str| {
            let head = format!("{name} = ");
            let line = self.lines.iter().find(|(_, l)| l.starts_with(&head)).map_or("", |(_, l)| *l);
            (is_content(line), line.split_once(" constant ").map_or("", |(_, c)| c.split(", !dbg").next().unwrap_or(c)))
        };
        let (a, b) = (of(a), of(b));
        !(a.0 && b.0 && a.1 == b.1)
    }

    /// The line of a site, as it is and flipped.
    pub(crate) fn shown(&self, site: &Site, flipped: &str) -> String {
        let new = flipped.split('\n').nth(site.line).unwrap_or_default();
        format!("line {}:\n  - {}\n  + {new}", site.line + 1, self.lines[site.line].1)
    }

    /// An attribute group that calls carry is compared whole; the words for callers were left out for all others.
    pub(crate) fn groups_at_calls(&self) -> usize {
        self.at_calls.len()
    }
}

/// A constant that is known by its content alone.
fn is_content(line: &str) -> bool {
    let unnamed = line.contains(" internal unnamed_addr ") || line.contains(" internal dso_local unnamed_addr ");
    line.contains(" constant ") && (line.contains(" private ") || unnamed)
}

fn text(old: &str) -> String {
    let open = old.find('"').map_or(0, |n| n + 1);
    let (head, tail) = old.split_at(open);
    match tail.bytes().next() {
        Some(b'"') => format!("{head}x{tail}"),
        Some(b'\\') => format!("{head}x{}", &tail[3..]),
        Some(b'x') => format!("{head}y{}", &tail[1..]),
        _ => format!("{head}x{}", &tail[1..]),
    }
}

fn other<'x>(old: &str, choices: &[&'x str], random: &mut Random) -> Option<&'x str> {
    let others: Vec<&str> = choices.iter().copied().filter(|c| *c != old).collect();
    (!others.is_empty()).then(|| others[random.below(others.len())])
}
