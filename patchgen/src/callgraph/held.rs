//! Does a function only choose whom it calls, or does it hand the address on?

use std::collections::BTreeSet;

use crate::ir::lex::Kind;
use crate::ir::line::Line;

/// Whether all that `body` does with the address of the function `symbol` is to choose, to compare and to call it: nobody else
/// can come to hold it then.
pub fn stays_inside(body: &str, symbol: &str) -> bool {
    let lines = Line::all(body);
    let all = lines.iter().flat_map(|line| &line.tokens);
    let mut values: Vec<&str> =
        all.filter(|t| t.kind == Kind::Global && t.name() == symbol).map(|t| t.text).take(1).collect();
    let mut seen = BTreeSet::new();
    while let Some(value) = values.pop() {
        if !seen.insert(value) {
            continue;
        }
        for line in &lines {
            let operands = line.tokens.iter().enumerate().skip(usize::from(line.result.is_some()));
            let used: Vec<usize> = operands.filter(|(_, token)| token.text == value).map(|(at, _)| at).collect();
            if used.is_empty() {
                continue;
            }
            match line.opcode() {
                "select" | "phi" | "freeze" => values.extend(line.result),
                "icmp" => {}
                "call" | "invoke" if used.iter().all(|at| Some(*at) == line.callee()) => {}
                _ => return false,
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_only_chooses_holds_nothing() {
        let chooses = "  %3 = select i1 %2, ptr @f, ptr @g, !dbg !3\n  #dbg_value(ptr @f, !1, !DIExpression(), !2)\n  br label %4\n\n\
                       4:\n  %5 = phi ptr [ %3, %1 ], [ @f, %4 ]\n  %6 = tail call i32 %5(ptr %0, i32 1), !dbg !4\n  \
                       %7 = icmp eq ptr %5, @f\n  %8 = call i32 @f(ptr %0)\n  ret i32 %6\n";
        assert!(stays_inside(chooses, "f") && stays_inside(chooses, "g"));
        for hands_on in ["store ptr %5, ptr %0", "ret ptr %3", "%9 = call i32 @g(ptr %3)", "%9 = call i32 %5(ptr @f)"] {
            let body = format!("{chooses}  {hands_on}\n");
            assert!(!stays_inside(&body, "f"), "{hands_on}");
        }
        assert!(!stays_inside("  %1 = ptrtoint ptr @f to i64\n", "f"));
        assert!(!stays_inside("  %1 = insertvalue { ptr, i32 } poison, ptr @f, 0\n", "f"));
    }
}
