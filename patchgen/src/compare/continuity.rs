//! Variables that have another name or place in the new build: a static local that became one of the file, a renamed one, and
//! what the compiler only numbers. One continues another where type, first value and the code that uses them are the same and
//! no other could be meant.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::fingerprint::StableNames;
use crate::ir::lex::{TokenKind, tokens, unescape};
use crate::ir::{Global, Module, is_defined};

/// Variables without a declaration, which the compiler names by number.
const NUMBERED: [&str; 1] = [".compoundliteral"];

/// User -> what it does with a variable.
type Uses = BTreeMap<String, Vec<String>>;

/// A variable that has no counterpart of its name.
#[derive(Debug)]
struct Orphan<'a> {
    name: &'a str,
    /// Its name in the source.
    shown: String,
    numbered: bool,
    kind: String,
    first: &'a str,
    uses: Uses,
}

/// Gives variables of the new side the keys of those of the old side that they continue; notes those of which it is not certain.
pub(super) fn continue_orphans(old: (&Module<'_>, &StableNames), module: &Module<'_>, names: &mut StableNames) {
    let (mut olds, mut news) = (orphans(old, names), orphans((module, names), old.1));
    if !olds.is_empty() && !news.is_empty() {
        find_uses(old.0, &mut olds);
        find_uses(module, &mut news);
        let code = module.functions.iter().filter(|f| is_defined(f)).map(|f| f.name);
        let there = code.chain(module.globals.iter().map(|g| g.name)).collect();
        let mut matched = Vec::new();
        while let Some((o, n)) = next_match(&olds, &news, &there) {
            matched.push((olds.remove(o), news.remove(n)));
        }
        // What is left over and used in the same places could as well be the one that is meant.
        let (sure, doubtful): (Vec<_>, Vec<_>) = matched.into_iter().partition(|(o, n)| {
            let rival = |a: &Orphan<'_>, b: &Orphan<'_>| a.kind == b.kind && a.first == b.first && shares_user(a, b);
            is_same_name(o, n)
                || !(olds.iter().any(|other| rival(other, n)) || news.iter().any(|other| rival(o, other)))
        });
        for (o, n) in &sure {
            names.name_as(n.name, old.1.key(o.name).to_owned());
            let guard = |name: &str| name.strip_prefix("_ZZ").map(|rest| format!("_ZGVZ{rest}"));
            if let Some((before, after)) = guard(o.name).zip(guard(n.name)) {
                names.name_as(&after, before);
            }
        }
        for (o, n) in doubtful {
            olds.push(o);
            news.push(n);
        }
    }
    for orphan in &news {
        let alike = olds.iter().filter(|o| o.kind == orphan.kind).map(|o| o.shown.clone()).collect::<Vec<_>>();
        if !alike.is_empty() {
            names.doubtful.insert(orphan.name.to_owned(), alike);
        }
        if orphan.numbered {
            names.name_as(orphan.name, format!("{}#new", orphan.name));
        }
    }
}

/// Variables of one side that the other has under no such name.
fn orphans<'a>((module, names): (&Module<'a>, &StableNames), other: &StableNames) -> Vec<Orphan<'a>> {
    let stems: HashSet<&str> = other.variables().map(|named| named.stem.as_str()).collect();
    let wholes: HashSet<&str> = other.all_inside().map(|(_, inside)| inside.whole.as_str()).collect();
    let own = module
        .globals
        .iter()
        .filter(|g| g.linkage == "internal" && !g.constant && g.initialiser.is_some() && !g.name.starts_with("llvm."));
    let part = |name: &str| {
        let parts = &names.variable(name)?.variable.parts;
        parts.iter().find(|part| part.name == name).map(|part| (part.bits, &part.form))
    };
    let orphan = |global: &Global<'a>| {
        let declared = names.variable(global.name);
        let numbered = declared.is_none() && is_numbered(global.name);
        let lost = declared.is_some_and(|named| !stems.contains(named.stem.as_str()));
        let bound = names.inside(global.name).is_some() || wholes.contains(global.name);
        ((lost && !bound) || numbered).then(|| Orphan {
            name: global.name,
            shown: declared.map_or_else(|| unescape(global.name), |named| named.variable.name.clone()),
            numbered,
            kind: format!(
                "{:?} {} {}",
                part(global.name),
                global.tls.unwrap_or_default(),
                module.spelled_out(global.value_type)
            ),
            first: global.initialiser.unwrap_or_default(),
            uses: Uses::new(),
        })
    };
    own.filter_map(orphan).collect()
}

fn is_numbered(name: &str) -> bool {
    let number = |rest: &str| rest.is_empty() || rest.strip_prefix('.').is_some_and(|n| n.parse::<u32>().is_ok());
    NUMBERED.iter().any(|stem| unescape(name).strip_prefix(stem).is_some_and(number))
}

/// Enters for each orphan the lines of code and the initialisers that name it.
fn find_uses(module: &Module<'_>, orphans: &mut [Orphan<'_>]) {
    let names: HashSet<&str> = orphans.iter().map(|o| o.name).collect();
    let bodies = module.functions.iter().filter(|f| is_defined(f)).map(|f| (f.name, f.body.unwrap_or_default()));
    let data =
        module.globals.iter().filter(|g| !g.name.starts_with("llvm.")).filter_map(|g| Some((g.name, g.initialiser?)));
    for (user, text) in bodies.chain(data) {
        for line in text.lines().filter(|line| line.contains('@')) {
            let here: BTreeSet<&str> = tokens(line)
                .filter(|t| t.kind == TokenKind::Global && names.contains(t.name()))
                .map(|t| t.name())
                .collect();
            for orphan in orphans.iter_mut().filter(|o| here.contains(o.name)) {
                orphan.uses.entry(user.to_owned()).or_default().push(bare(line, orphan.name, &names));
            }
        }
    }
    for lines in orphans.iter_mut().flat_map(|o| o.uses.values_mut()) {
        lines.sort_unstable();
    }
}

/// A line without what differs between builds of the same source: numbers of values and metadata, names of orphans.
fn bare(line: &str, own: &str, orphans: &HashSet<&str>) -> String {
    let mut out = String::new();
    for token in tokens(line) {
        let word = match token.kind {
            TokenKind::Global if token.name() == own => "@self",
            TokenKind::Global if orphans.contains(token.name()) => "@other",
            TokenKind::Global if token.name().starts_with(".str") => "@text",
            TokenKind::Local | TokenKind::Label => "%",
            TokenKind::Meta | TokenKind::Attributes => "",
            TokenKind::Punct if token.text == "," => "",
            _ => token.text,
        };
        out.push_str(word);
        out.push(' ');
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Which two are one variable, by the surest sign there is.
fn next_match(olds: &[Orphan<'_>], news: &[Orphan<'_>], there: &HashSet<&str>) -> Option<(usize, usize)> {
    let same = |o: &Orphan<'_>, n: &Orphan<'_>| o.kind == n.kind && o.first == n.first;
    let used_alike = |o: &Orphan<'_>, n: &Orphan<'_>| same(o, n) && is_used_alike(o, n, there);
    let same_name = |o: &Orphan<'_>, n: &Orphan<'_>| same(o, n) && is_same_name(o, n) && shares_user(o, n);
    let both_numbered = |o: &Orphan<'_>, n: &Orphan<'_>| same(o, n) && o.numbered && n.numbered && shares_user(o, n);
    only(olds, news, &same_name)
        .or_else(|| only(olds, news, &used_alike))
        .or_else(|| first_of_equals(olds, news, &|o, n| both_numbered(o, n) && used_alike(o, n)))
        .or_else(|| only(olds, news, &both_numbered))
}

fn shares_user(a: &Orphan<'_>, b: &Orphan<'_>) -> bool {
    a.uses.keys().any(|user| b.uses.contains_key(user))
}

fn is_same_name(old: &Orphan<'_>, new: &Orphan<'_>) -> bool {
    !old.numbered && !new.numbered && old.shown == new.shown
}

/// The first two that fit each other and nothing else.
fn only(
    olds: &[Orphan<'_>],
    news: &[Orphan<'_>],
    fits: &dyn Fn(&Orphan<'_>, &Orphan<'_>) -> bool,
) -> Option<(usize, usize)> {
    news.iter().enumerate().find_map(|(n, new)| {
        let mut of_new = olds.iter().enumerate().filter(|(_, old)| fits(old, new));
        let (o, old) = of_new.next().filter(|_| of_new.next().is_none())?;
        (news.iter().filter(|other| fits(old, other)).count() == 1).then_some((o, n))
    })
}

/// Of as many old as new ones that all fit each other, the first: in the order of the source.
fn first_of_equals(
    olds: &[Orphan<'_>],
    news: &[Orphan<'_>],
    fits: &dyn Fn(&Orphan<'_>, &Orphan<'_>) -> bool,
) -> Option<(usize, usize)> {
    news.iter().enumerate().find_map(|(n, new)| {
        let of_new: Vec<usize> = (0..olds.len()).filter(|o| fits(&olds[*o], new)).collect();
        let first = *of_new.first()?;
        let of_old: Vec<usize> = (0..news.len()).filter(|n| fits(&olds[first], &news[*n])).collect();
        let all = of_new.iter().all(|o| of_old.iter().all(|n| fits(&olds[*o], &news[*n])));
        (all && of_new.len() == of_old.len() && of_old.first() == Some(&n)).then_some((first, n))
    })
}

/// Does all code of the base that is still there use the one as it used the other?
fn is_used_alike(old: &Orphan<'_>, new: &Orphan<'_>, there: &HashSet<&str>) -> bool {
    let mut still_there = old.uses.iter().filter(|(user, _)| there.contains(user.as_str())).peekable();
    still_there.peek().is_some() && still_there.all(|(user, lines)| new.uses.get(user) == Some(lines))
}
