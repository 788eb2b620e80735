//! Constants that only follow their own line: `assert`, `__LINE__`.

use std::collections::HashSet;

use crate::compare::fingerprint::Canonical;
use crate::ir::Module;

/// One side: its module and the canonical text of the function.
type Text<'x, 'a> = (&'x Module<'a>, &'x Canonical);

/// Do two functions differ in integer constants alone, each of which is a line number that moved as the code
/// around it moved? Evidence for a constant is an instruction of that line in the old code whose counterpart has
/// the new number as its line; or, for constants whose instruction lost its line, that all of the function moved
/// by one distance, the constant too, and it lies inside the function.
pub(super) fn only_lines_moved(old: Text<'_, '_>, new: Text<'_, '_>) -> bool {
    let Some(constants) = differing_constants(&old.1.text, &new.1.text) else { return false };
    let mut moves: HashSet<(u64, u64)> = HashSet::new();
    for (a, b) in old.1.places.iter().zip(&new.1.places) {
        if let (Some(a), Some(b)) = (a, b) {
            let (a, b) = (lines_of(old.0, *a), lines_of(new.0, *b));
            moves.extend(a.into_iter().zip(b).filter(|(a, b)| *a != 0 && *b != 0));
        }
    }
    let distances: HashSet<i128> = moves.iter().map(|(a, b)| i128::from(*b) - i128::from(*a)).collect();
    let distance = (distances.len() == 1).then(|| distances.iter().next().copied()).flatten();
    let (first, last) = (moves.iter().map(|m| m.0).min(), moves.iter().map(|m| m.0).max());
    constants.into_iter().all(|(a, b)| {
        let inside = first.is_some_and(|f| a >= f) && last.is_some_and(|l| a <= l);
        let together = inside && distance == Some(i128::from(b) - i128::from(a));
        moves.contains(&(a, b)) || together
    })
}

/// The constants that differ; `None` when anything else does.
fn differing_constants(old: &str, new: &str) -> Option<HashSet<(u64, u64)>> {
    let mut out = HashSet::new();
    let (mut a, mut b) = (old.lines(), new.lines());
    loop {
        let (x, y) = match (a.next(), b.next()) {
            (None, None) => return Some(out),
            (x, y) => (x?, y?),
        };
        if x == y {
            continue;
        }
        let (mut xs, mut ys) = (x.split(' '), y.split(' '));
        let mut kind = "";
        loop {
            let (v, w) = match (xs.next(), ys.next()) {
                (None, None) => break,
                (v, w) => (v?, w?),
            };
            if v != w {
                // Only whole 32-bit or 64-bit constants: `__LINE__` is an int.
                if !matches!(kind, "i32" | "i64" | "noundef" | "[") {
                    return None;
                }
                out.insert((v.parse().ok()?, w.parse().ok()?));
            }
            kind = v;
        }
    }
}

/// Line of a location and of the calls it was inlined through.
fn lines_of(module: &Module<'_>, location: usize) -> Vec<u64> {
    let mut out = Vec::new();
    let mut next = Some(format!("!{location}"));
    while let Some(node) = next.as_deref().and_then(|n| module.debug_node(n)) {
        out.push(node.number("line"));
        next = node.get("inlinedAt").map(str::to_owned).filter(|_| out.len() < 64);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::fingerprint::{Canon, Keys};

    fn moved(old: (u64, u64), new: (u64, u64)) -> bool {
        let text = |(line, constant): (u64, u64)| {
            format!(
                "define void @f() !dbg !0 {{\n  call void @fail(i32 noundef {constant}), !dbg !1\n  ret void, !dbg !2\n}}\n\
                 !0 = distinct !DISubprogram(name: \"f\")\n!1 = !DILocation(line: {line}, scope: !0)\n\
                 !2 = !DILocation(line: {}, scope: !0)\n",
                line + 1
            )
        };
        let (a, b) = (text(old), text(new));
        let (a, b) = (Module::parse(&a).expect("valid"), Module::parse(&b).expect("valid"));
        let canonical = |m: &Module<'_>| {
            let keys = Keys::of(m);
            Canon::new(m, &keys, "").function(&m.functions[0].clone())
        };
        only_lines_moved((&a, &canonical(&a)), (&b, &canonical(&b)))
    }

    #[test]
    fn a_constant_that_follows_its_line_is_no_change() {
        assert!(moved((10, 10), (14, 14)));
        assert!(moved((10, 11), (14, 15)), "the line of the function's next instruction");
    }

    #[test]
    fn any_other_constant_is() {
        assert!(!moved((10, 10), (14, 13)));
        assert!(!moved((10, 3), (14, 7)), "moves as the code does, but is no line of the function");
        assert!(!moved((10, 10), (10, 14)));
    }
}
