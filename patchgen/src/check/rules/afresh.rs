//! Variables that are not the same storage in both builds. New code could only have one of its own, which starts with its
//! initial value; all that uses it has to change to it together.

use std::collections::BTreeSet;

use crate::check::overrides::{Wish, bare};
use crate::compare::diff::{ChangeKind, Changes};
use crate::compare::resolve::{Definition, Resolver};
use crate::ir::header::{split_commas, type_end};
use crate::ir::lex::{Kind, Token, tokens};
use crate::ir::{Global, Module};

/// Longest type that is spelled out, in scalars.
const SCALARS: usize = 4096;

/// A scalar, and how many of it stand in a row.
type Run<'a> = (&'a str, usize);

/// The variables for which somebody accepts that they start afresh.
pub fn afresh(resolver: &Resolver<'_, '_>, changes: &Changes, wishes: &[Wish]) -> BTreeSet<Definition> {
    let mut out = BTreeSet::new();
    for change in changes.list.iter().filter(|c| c.kind == ChangeKind::Global && !c.function) {
        let Some(unit) = change.pair.new.filter(|_| wishes.iter().any(|wish| bare(&wish.name) == change.name)) else {
            continue;
        };
        let definition = (unit, change.symbol.clone());
        let (Some(new), Some((old, before))) = (resolver.new.facts(unit), resolver.before(&definition)) else {
            continue;
        };
        let Some(after) = new.module.global_named(&change.symbol) else { continue };
        if may_start_afresh(resolver, &change.name, (&old.module, before), (&new.module, after)) {
            out.insert(definition);
        }
    }
    out
}

/// Whether a variable cannot stay where it is, but could be another one: not where the dynamic linker decides which of its
/// name a library's own code uses.
pub(super) fn may_start_afresh(
    resolver: &Resolver<'_, '_>,
    name: &str,
    old: (&Module<'_>, &Global<'_>),
    new: (&Module<'_>, &Global<'_>),
) -> bool {
    let is_plain = |g: &Global<'_>| !g.constant && g.tls.is_none() && g.section().is_none();
    let is_shared = resolver.old.build.is_library() && resolver.is_exported(name);
    is_plain(old.1) && is_plain(new.1) && !is_shared && !is_same_storage(old, new)
}

/// The same scalars in the same places, whatever they are called, and no stricter alignment.
pub(super) fn is_same_storage(old: (&Module<'_>, &Global<'_>), new: (&Module<'_>, &Global<'_>)) -> bool {
    let align = |g: &Global<'_>| {
        g.tail_items()
            .into_iter()
            .find_map(|i| i.strip_prefix("align "))
            .and_then(|n| n.parse::<u32>().ok())
            .unwrap_or(1)
    };
    let (before, after) = (old.1.kind_of_value, new.1.kind_of_value);
    align(new.1) <= align(old.1) && scalars(old.0, before) == scalars(new.0, after)
}

/// A type down to its scalars; one that is too long for that as text.
fn scalars<'a>(module: &Module<'a>, text: &'a str) -> Result<Vec<Run<'a>>, String> {
    let mut out = Vec::new();
    spell(module, text.trim(), &mut out).map(|()| out).ok_or_else(|| module.spelled_out(text))
}

fn spell<'a>(module: &Module<'a>, text: &'a str, out: &mut Vec<Run<'a>>) -> Option<()> {
    let all: Vec<Token<'a>> = tokens(text).collect();
    let inside = |from: usize, to: usize| text.get(all.get(from)?.end()..all.get(to)?.at);
    let first = all.first()?;
    match first.text {
        "{" if type_end(&all, 0) == Some(all.len()) => {
            for member in split_commas(inside(0, all.len() - 1)?) {
                spell(module, member, out)?;
            }
        }
        "[" => {
            let count: usize = all.get(1)?.text.parse().ok()?;
            let mut element = Vec::new();
            spell(module, text.get(all.get(3)?.at..all.last()?.at)?.trim(), &mut element)?;
            match element[..] {
                [(scalar, times)] => push(out, (scalar, times.checked_mul(count)?)),
                _ if element.len().checked_mul(count)? > SCALARS => return None,
                _ => (0..count).for_each(|_| element.iter().for_each(|run| push(out, *run))),
            }
        }
        _ if first.kind == Kind::Local => spell(module, module.type_index.get(first.text)?, out)?,
        // Numbers, pointers, vectors; packed structures, whose members lie elsewhere.
        _ => push(out, (text, 1)),
    }
    (out.len() <= SCALARS).then_some(())
}

fn push<'a>(out: &mut Vec<Run<'a>>, (scalar, times): Run<'a>) {
    match out.last_mut() {
        Some(last) if last.0 == scalar => last.1 += times,
        _ if times > 0 => out.push((scalar, times)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage(old: &str, new: &str) -> bool {
        let types = "%struct.q = type { ptr, ptr }\n%struct.p = type <{ i8, i32 }>\n";
        let text = |global: &str| format!("{types}@x = internal global {global}\n");
        let (old, new) = (text(old), text(new));
        let (a, b) = (Module::parse(&old).expect("valid"), Module::parse(&new).expect("valid"));
        is_same_storage((&a, &a.globals[0]), (&b, &b.globals[0]))
    }

    #[test]
    fn storage_is_the_same_where_the_same_scalars_lie() {
        assert!(storage("[2 x ptr] zeroinitializer, align 16", "%struct.q zeroinitializer, align 8"));
        assert!(storage(
            "[4 x { i32, i8 }] zeroinitializer, align 4",
            "[2 x [2 x { i32, i8 }]] zeroinitializer, align 4"
        ));
        for (old, new) in [
            ("[2 x ptr] zeroinitializer, align 8", "%struct.q zeroinitializer, align 16"),
            ("[2 x ptr] zeroinitializer, align 8", "[3 x ptr] zeroinitializer, align 8"),
            ("%struct.p zeroinitializer, align 4", "{ i8, i32 } zeroinitializer, align 4"),
            ("i32 0, align 4", "i64 0, align 4"),
            ("ptr null, align 8", "i64 0, align 8"),
        ] {
            assert!(!storage(old, new), "{old} {new}");
        }
    }
}
