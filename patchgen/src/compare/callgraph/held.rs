//! Does a function only choose whom it calls, or does it hand the address on?

use crate::ir::line::{Use, stays};

/// Whether all that `body` does with the address of the function `symbol` is to choose, to compare and to call it: nobody else
/// can come to hold it then.
pub fn stays_inside(body: &str, symbol: &str) -> bool {
    stays(body, &format!("@{symbol}"), |line, used| {
        let calls_it = || line.tokens.iter().enumerate().all(|(at, token)| !used(token) || Some(at) == line.callee());
        match line.opcode() {
            "select" | "phi" | "freeze" => Use::Results,
            "icmp" => Use::Passes,
            "call" | "invoke" if calls_it() => Use::Passes,
            _ => Use::Leaves,
        }
    })
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
