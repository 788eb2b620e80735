//! What a function's result promises, as code generation of its callers uses it. Everything else that is inferred
//! about a function only IR optimisation reads, whose result is compared; but the selection of instructions looks
//! at the callee's header again (`SelectionDAGBuilder::lowerRangeToAssertZExt`, `isKnownNonZero`).

use crate::ir::Function;

/// The range of a result, `low..high` with wrapping, as printed: `range(i32 0, 5)`.
fn range(function: &Function<'_>) -> Option<(i128, i128)> {
    let inside = function.before.split_once("range(")?.1.split_once(')')?.0;
    let (low, high) = inside.split_once(' ')?.1.split_once(", ")?;
    Some((low.trim().parse().ok()?, high.trim().parse().ok()?))
}

/// Could a caller that was compiled against `old` be wrong about `new`?
pub fn weakened(old: &Function<'_>, new: &Function<'_>) -> bool {
    let nonnull = |f: &Function<'_>| f.before.split_whitespace().any(|w| w == "nonnull");
    if nonnull(old) && !nonnull(new) {
        return true;
    }
    let Some((low, high)) = range(old) else { return false };
    // A range that wraps around or starts elsewhere says nothing about high bits; one without 0 says it is not 0.
    let counts_bits = low == 0 && high > 0;
    let excludes_zero = !(low..high).contains(&0) && low < high;
    let Some((new_low, new_high)) = range(new) else { return counts_bits || excludes_zero };
    let within = new_low >= low && new_high <= high && new_low < new_high;
    (counts_bits || excludes_zero) && !within
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Module;

    fn check(old: &str, new: &str) -> bool {
        let text = format!("define {old} i32 @f() {{\n}}\ndefine {new} i32 @g() {{\n}}\n");
        let module = Module::parse(&text).expect("valid");
        weakened(&module.functions[0], &module.functions[1])
    }

    #[test]
    fn a_smaller_promise_counts_where_callers_use_it() {
        assert!(check("range(i32 0, 2)", "range(i32 0, 3)"));
        assert!(check("range(i32 0, 2)", ""));
        assert!(check("range(i32 1, 5)", "range(i32 0, 5)"));
        assert!(check("nonnull", ""));
    }

    #[test]
    fn a_larger_one_and_one_nobody_reads_do_not() {
        assert!(!check("range(i32 0, 3)", "range(i32 0, 2)"));
        assert!(!check("", "range(i32 0, 2)"));
        assert!(!check("range(i32 -2147483647, -2147483648)", ""));
    }
}
