//! Blocks and lambdas, which the compiler numbers within their function: `__f_block_invoke_2`, `f::$_1`. One of the new build
//! gets the number of the old one whose code is the same, so that everything later can go by names.

mod names;

use std::collections::{BTreeMap, BTreeSet};

use super::fingerprint::{Hash, hash};
use crate::ir::lex::{TokenKind, tokens, unescape};
use crate::ir::{Module, is_defined};
use crate::problem::{Problem, Reason};
use names::{Numbered, mask, occurrences, render};

/// Number -> code and data of that number, each by its name without numbers.
type Family = BTreeMap<u64, BTreeSet<(String, Hash)>>;

/// New number of each old one, by family.
pub(super) type Renumbering = BTreeMap<String, BTreeMap<u64, u64>>;

/// Could a unit with these symbols have something numbered?
pub(super) fn concerns<'s>(mut names: impl Iterator<Item = &'s str>) -> bool {
    names.any(|name| occurrences(name).next().is_some())
}

/// The new text with the numbers of the old one; what cannot be told apart is entered into the problems.
/// With it come the renumberings, one after the other.
pub(super) fn renumbered(old: &str, new: &str, problems: &mut Vec<Problem>) -> Option<(String, Vec<Renumbering>)> {
    // Constants name functions, which must have their numbers by then.
    let code = pass(old, new, false, problems);
    let data = pass(old, code.as_ref().map_or(new, |(text, _)| text), true, problems);
    let text = data.as_ref().or(code.as_ref()).map(|(text, _)| text.clone())?;
    Some((text, code.into_iter().chain(data).map(|(_, numbers)| numbers).collect()))
}

/// A name after renumberings.
pub(super) fn renamed(name: &str, renumberings: &[Renumbering]) -> String {
    renumberings.iter().fold(name.to_owned(), |name, numbers| rewrite(&name, numbers))
}

fn pass(old: &str, new: &str, data: bool, problems: &mut Vec<Problem>) -> Option<(String, Renumbering)> {
    let (before, after) = (families(old, data)?, families(new, data)?);
    let mut numbers = Renumbering::new();
    for (name, family) in &after {
        let nothing = Family::new();
        let earlier = before.get(name).unwrap_or(&nothing);
        let Some(found) = pair(earlier, family, data) else {
            let message = "has several blocks or lambdas that changed, and which one was which cannot be told";
            problems.push(Problem::new(Reason::UnpairedFunction, names::owner(name), message));
            continue;
        };
        let mut unused = (0..).filter(|n| !earlier.contains_key(n) && !family.contains_key(n)).skip(2);
        let mut own = BTreeMap::new();
        for number in family.keys() {
            let to = found.get(number).copied().or_else(|| {
                let free = !earlier.contains_key(number) && !found.values().any(|n| n == number);
                if free { Some(*number) } else { unused.next() }
            });
            own.extend(to.map(|to| (*number, to)));
        }
        if own.iter().any(|(from, to)| from != to) {
            numbers.insert(name.clone(), own);
        }
    }
    (!numbers.is_empty()).then(|| (rewrite(new, &numbers), numbers))
}

/// What is numbered in a module, functions or constants; `None` for text that is no module.
fn families(text: &str, data: bool) -> Option<BTreeMap<String, Family>> {
    let module = Module::parse(text).ok()?;
    let mut out: BTreeMap<String, Family> = BTreeMap::new();
    let mut enter = |name: &str, content: &str| {
        for found in occurrences(name).filter(|found| found.is_data() == data) {
            let what = (mask(name, data), hash(&mask(content, data)));
            out.entry(found.family).or_default().entry(found.number).or_default().insert(what);
        }
    };
    match data {
        false => {
            for function in module.functions.iter().filter(|f| is_defined(f)) {
                let name = unescape(function.name);
                if occurrences(&name).next().is_some() {
                    enter(&name, &bare(&module, function.body.unwrap_or_default(), 0));
                }
            }
        }
        true => {
            for global in module.globals.iter().filter(|g| g.constant && g.initialiser.is_some()) {
                enter(&unescape(global.name), &bare(&module, global.initialiser.unwrap_or_default(), 0));
            }
        }
    }
    Some(out)
}

/// Code or data without numbers of values, metadata and attributes, and with strings in place of their names.
fn bare<'a>(module: &Module<'a>, text: &'a str, depth: u32) -> String {
    let mut out = String::new();
    let mut values: BTreeMap<&str, usize> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("#dbg_")) {
        for token in tokens(line) {
            let literal = module.global_named(token.name()).filter(|g| g.is_anonymous() && depth < 4);
            match token.kind {
                TokenKind::Local | TokenKind::Label => {
                    let next = values.len();
                    let number = values.entry(token.text.trim_start_matches('%')).or_insert(next);
                    out.push_str(&format!("%{number} "));
                }
                TokenKind::Meta | TokenKind::Attributes => {}
                TokenKind::Global if literal.is_some() => {
                    let initialiser = literal.and_then(|global| global.initialiser).unwrap_or_default();
                    out.push_str(&bare(module, initialiser, depth + 1));
                }
                _ => {
                    out.push_str(token.text);
                    out.push(' ');
                }
            }
        }
        out.push('\n');
    }
    out
}

/// For each new number the old one that it continues; `None` when several could be meant.
fn pair(old: &Family, new: &Family, data: bool) -> Option<BTreeMap<u64, u64>> {
    let mut out: BTreeMap<u64, u64> = BTreeMap::new();
    for (number, content) in new {
        let taken: BTreeSet<u64> = out.values().copied().collect();
        let same = |o: &u64| old.get(o) == Some(content) && !taken.contains(o);
        // In order, so that equal ones keep it.
        let found = old.keys().copied().find(same);
        out.extend(found.map(|o| (*number, o)));
    }
    let taken: BTreeSet<u64> = out.values().copied().collect();
    let gone: Vec<u64> = old.keys().copied().filter(|o| !taken.contains(o)).collect();
    let come: Vec<u64> = new.keys().copied().filter(|n| !out.contains_key(n)).collect();
    if data || gone.is_empty() || come.is_empty() {
        return Some(out);
    }
    let anchors: Vec<(u64, u64)> = out.iter().map(|(n, o)| (*o, *n)).collect();
    let in_place = |o: u64, n: u64| match anchors.is_empty() {
        true => o == n,
        false => anchors.iter().all(|(ao, an)| (*ao < o) == (*an < n)),
    };
    let certain = gone.len() == come.len() && gone.iter().zip(&come).all(|(o, n)| in_place(*o, *n));
    certain.then(|| {
        out.extend(come.into_iter().zip(gone));
        out
    })
}

fn rewrite(text: &str, numbers: &Renumbering) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for Numbered { kind, family, number, range } in occurrences(text) {
        if let Some(to) = numbers.get(&family).and_then(|own| own.get(&number)) {
            out.push_str(text.get(from..range.start).unwrap_or_default());
            out.push_str(&render(kind, *to));
            from = range.end;
        }
    }
    out + text.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bodies: &[(&str, u32)]) -> String {
        let functions = bodies.iter().map(|(name, n)| format!("define internal i32 @{name}() {{\n  ret i32 {n}\n}}\n"));
        functions.collect()
    }

    fn renumber(old: &[(&str, u32)], new: &[(&str, u32)]) -> (Option<String>, usize) {
        let mut problems = Vec::new();
        let out = renumbered(&text(old), &text(new), &mut problems).map(|(text, _)| text);
        (out, problems.len())
    }

    #[test]
    fn a_block_is_known_by_its_code() {
        let (out, problems) =
            renumber(&[("__f_block_invoke", 1)], &[("__f_block_invoke", 2), ("__f_block_invoke_2", 1)]);
        let out = out.expect("renumbered");
        assert!(out.contains("@__f_block_invoke() {\n  ret i32 1") && problems == 0, "{out}");
        assert!(!out.contains("@__f_block_invoke_2()"), "{out}");
    }

    #[test]
    fn the_one_that_changed_stays_where_it_was() {
        let old = [("__f_block_invoke", 1), ("__f_block_invoke_2", 2)];
        assert_eq!(renumber(&old, &[("__f_block_invoke", 7), ("__f_block_invoke_2", 2)]), (None, 0));
        assert_eq!(renumber(&old, &old), (None, 0));
    }

    #[test]
    fn two_that_could_be_meant_are_told() {
        let old = [("__f_block_invoke", 1)];
        assert_eq!(renumber(&old, &[("__f_block_invoke", 2), ("__f_block_invoke_2", 3)]).1, 1);
    }

    #[test]
    fn a_lambda_is_known_in_all_that_was_made_of_it() {
        let old = [("\"_ZZ1fvENK3$_0clEv\"", 1), ("\"_ZNSt1hIZ1fvE3$_0E1iEv\"", 5)];
        let new = [
            ("\"_ZZ1fvENK3$_0clEv\"", 9),
            ("\"_ZZ1fvENK3$_1clEv\"", 1),
            ("\"_ZNSt1hIZ1fvE3$_0E1iEv\"", 6),
            ("\"_ZNSt1hIZ1fvE3$_1E1iEv\"", 5),
        ];
        let (out, problems) = renumber(&old, &new);
        let out = out.expect("renumbered");
        assert!(out.contains("@\"_ZZ1fvENK3$_0clEv\"() {\n  ret i32 1") && problems == 0, "{out}");
        assert!(out.contains("@\"_ZNSt1hIZ1fvE3$_0E1iEv\"() {\n  ret i32 5"), "{out}");
    }
}
