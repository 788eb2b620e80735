//! Line numbers that functions hand to those who report them: `assert`, loggers. They move with the code around them, and
//! nobody would replace a function for them.

use std::collections::BTreeSet;

use super::line_callees::{Callee, known};
use crate::compare::fingerprint::{Canonical, instructions};
use crate::ir::lex::{TokenKind, tokens, unescape};
use crate::ir::line::{Line, value};
use crate::ir::{Function, Module};

/// A macro's `__LINE__` is the line of its closing parenthesis, while the call stands in its first line.
const LINES_OF_A_MACRO: u64 = 32;

/// Which operands are taken for line numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineRule {
    /// None at all.
    pub strict: bool,
    /// Functions that are told lines, beside those known to patchgen.
    pub callees: Vec<String>,
}

/// One side: its module, the function, and its canonical text.
type Text<'x, 'a> = (&'x Module<'a>, &'x Function<'a>, &'x Canonical);

/// The functions that are told lines, if two versions of a function differ in nothing but what these are told, and that is the
/// line of the call in both.
pub(super) fn only_lines_moved(rule: &LineRule, old: Text<'_, '_>, new: Text<'_, '_>) -> Option<BTreeSet<String>> {
    if rule.strict {
        return None;
    }
    let mut told = BTreeSet::new();
    let (before, after) = (old.2.text.lines(), new.2.text.lines());
    if old.2.places.len() != new.2.places.len() {
        return None;
    }
    // The header has no instruction.
    let mut instructions = instructions(old.1).zip(instructions(new.1));
    for (number, (before, after)) in before.zip(after).enumerate() {
        let pair = if number == 0 { None } else { instructions.next() };
        if before == after {
            continue;
        }
        let place = |text: Text<'_, '_>| text.2.places.get(number).copied().flatten();
        let (a, b) = pair?;
        let call = Call { rule, old: (old.0, Line::of(a), place(old)?), new: (new.0, Line::of(b), place(new)?) };
        told.insert(call.told(&differing_constants(before, after)?)?);
    }
    Some(told)
}

/// A call in both versions: the module, the instruction, and where it stands.
struct Call<'x, 'a> {
    rule: &'x LineRule,
    old: (&'x Module<'a>, Line<'x>, usize),
    new: (&'x Module<'a>, Line<'x>, usize),
}

impl Call<'_, '_> {
    /// Whom it calls, if it differs in these constants alone, and they are its lines.
    fn told(&self, constants: &[(u64, u64)]) -> Option<String> {
        let ((Some(callee), before), (Some(other), after)) = (self.old.1.call()?, self.new.1.call()?) else {
            return None;
        };
        if callee != other || before.len() != after.len() {
            return None;
        }
        let name = unescape(callee);
        let known = known(&name);
        if known.is_none() && !self.rule.callees.iter().any(|wanted| is_meant(wanted, &name)) {
            return None;
        }
        let mut moved = Vec::new();
        for (position, (a, b)) in before.iter().zip(&after).enumerate() {
            let (Some(a), Some(b)) = (integer(a), integer(b)) else { continue };
            if a != b {
                let is_line = match known {
                    Some(known) => position == known.line && self.is_line(known, &before, (a, b)),
                    None => self.distance((a, b)) == Some(0),
                };
                moved.extend(is_line.then_some((a, b)));
            }
        }
        // Whatever else differs in the instruction is in the list of all constants, or is no constant.
        (moved == constants).then_some(name)
    }

    fn is_line(&self, known: Callee, arguments: &[&str], (a, b): (u64, u64)) -> bool {
        match (known.file, self.distance((a, b))) {
            (Some(file), Some(distance)) => {
                let is_file = arguments.get(file).is_some_and(|argument| self.is_file(value(argument)));
                is_file && distance <= LINES_OF_A_MACRO
            }
            (None, distance) => distance == Some(0),
            (_, None) => false,
        }
    }

    /// How many lines behind the call, or one that it was inlined through, both numbers are.
    fn distance(&self, (a, b): (u64, u64)) -> Option<u64> {
        let lines = lines_of(self.old.0, self.old.2).into_iter().zip(lines_of(self.new.0, self.new.2));
        let known = lines.filter(|(x, y)| *x != 0 && *y != 0);
        let behind = known.filter_map(|(x, y)| Some((a.checked_sub(x)?, b.checked_sub(y)?)));
        behind.filter(|(x, y)| x == y).map(|(x, _)| x).min()
    }

    /// Is it a string with the name of one of the files that the code comes from?
    fn is_file(&self, name: &str) -> bool {
        let module = self.old.0;
        let text = name.strip_prefix('@').and_then(|n| module.global_named(n)).filter(|g| g.constant);
        let Some(text) = text.and_then(|g| g.initialiser).and_then(|i| i.strip_prefix("c\"")) else { return false };
        let base = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let told = base(text.trim_end_matches('"').trim_end_matches("\\00"));
        let files = module.metadata.iter().filter(|node| node.contains("!DIFile("));
        !told.is_empty()
            && files.filter_map(|node| crate::ir::debug::Node::parse(node)?.text("filename")).any(|f| base(&f) == told)
    }
}

/// Does a person who says `wanted` mean this function? In C++ its name is a part of the symbol.
fn is_meant(wanted: &str, symbol: &str) -> bool {
    let plain = wanted.rsplit("::").next().unwrap_or(wanted);
    wanted == symbol || (symbol.starts_with("_Z") && symbol.contains(&format!("{}{plain}", plain.len())))
}

/// An argument that is a whole number: `__LINE__` is an int, and may be widened.
fn integer(argument: &str) -> Option<u64> {
    let mut words = tokens(argument);
    let kind = words.next().filter(|t| matches!(t.text, "i32" | "i64"));
    kind.and(words.filter(|t| t.kind == TokenKind::Word).last())?.text.parse().ok()
}

/// The numbers that differ in two lines, in their order; `None` when anything else does.
fn differing_constants(old: &str, new: &str) -> Option<Vec<(u64, u64)>> {
    let mut out = Vec::new();
    let (mut xs, mut ys) = (old.split(' '), new.split(' '));
    loop {
        match (xs.next(), ys.next()) {
            (None, None) => return Some(out),
            (v, w) => {
                let (v, w) = (v?, w?);
                if v != w {
                    out.push((v.parse().ok()?, w.parse().ok()?));
                }
            }
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
    use crate::compare::fingerprint::{Canon, StableNames};

    /// Does a function that calls this pass, with line and constant of both versions?
    fn moved(rule: &LineRule, call: &str, old: (u64, u64), new: (u64, u64)) -> bool {
        let text = |(line, constant): (u64, u64)| {
            let call = call.replace("LINE", &constant.to_string());
            format!(
                "@f = private unnamed_addr constant [6 x i8] c\"a/b.c\\00\", align 1\n\
                 define i32 @g() !dbg !0 {{\n  {call}, !dbg !1\n  ret i32 0, !dbg !2\n}}\n\
                 !0 = distinct !DISubprogram(name: \"g\", file: !3)\n!1 = !DILocation(line: {line}, scope: !0)\n\
                 !2 = !DILocation(line: {}, scope: !0)\n!3 = !DIFile(filename: \"/src/b.c\", directory: \"\")\n",
                line + 1
            )
        };
        let (a, b) = (text(old), text(new));
        let (a, b) = (Module::parse(&a).expect("valid"), Module::parse(&b).expect("valid"));
        let canonical = |m: &Module<'_>| {
            let names = StableNames::of(m);
            Canon::new(m, &names, "").function(&m.functions[0].clone())
        };
        only_lines_moved(rule, (&a, &a.functions[0], &canonical(&a)), (&b, &b.functions[0], &canonical(&b))).is_some()
    }

    const ASSERT: &str = "call void @__assert_fail(ptr noundef @x, ptr noundef nonnull @f, i32 noundef LINE, ptr @y)";

    #[test]
    fn what_an_assertion_is_told_is_its_line() {
        let rule = LineRule::default();
        assert!(moved(&rule, ASSERT, (10, 10), (14, 14)));
        assert!(moved(&rule, ASSERT, (10, 12), (14, 16)), "a macro over three lines");
        assert!(!moved(&rule, ASSERT, (10, 10), (14, 13)));
        assert!(!moved(&rule, ASSERT, (10, 3), (14, 7)), "before the call");
        assert!(!moved(&rule, &ASSERT.replace("nonnull @f", "@z"), (10, 10), (14, 14)), "no file");
        assert!(!moved(&LineRule { strict: true, ..rule }, ASSERT, (10, 10), (14, 14)));
    }

    #[test]
    fn any_other_operand_is_a_value() {
        let rule = LineRule::default();
        for call in [
            "call void @warn(i32 LINE)",
            "store i32 LINE, ptr @m",
            "call void @__assert_fail(ptr @x, ptr @f, i32 1, i32 LINE)",
            "call void @__assert_fail(ptr @x, ptr @f, i32 LINE, i32 LINE)",
            "call void @__assert_fail(ptr inttoptr (i64 LINE to ptr), ptr @f, i32 1)",
        ] {
            assert!(!moved(&rule, call, (10, 10), (14, 14)), "{call}");
        }
    }

    #[test]
    fn a_person_can_name_more() {
        let rule = LineRule { callees: vec!["warn".into()], ..LineRule::default() };
        assert!(moved(&rule, "call void @warn(i32 LINE)", (10, 10), (14, 14)));
        assert!(moved(&rule, "call void @_ZN3log4warnEi(i32 LINE)", (10, 10), (14, 14)));
        assert!(!moved(&rule, "call void @warn(i32 LINE)", (10, 11), (14, 15)));
        assert!(!moved(&rule, "call void @warning(i32 LINE)", (10, 10), (14, 14)));
        assert!(!moved(&rule, "call void @warn(i8 LINE)", (10, 10), (14, 14)));
    }
}
