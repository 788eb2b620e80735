//! Constants whose content changed and whose address somebody keeps. The patch brings a new constant for its own
//! code; whatever holds the address of the old one goes on reading the old content, and is not equal to the new one.

use crate::compare::side::Facts;
use crate::ir::lex::{Kind, Token, tokens};
use crate::ir::line::{Use, stays};
use crate::ir::{Function, Global, Module};
use crate::problem::{Related, RelatedKind};

/// Library functions that read what they are given and keep nothing, without saying so in IR.
const KEEP_NOTHING: [&str; 9] =
    ["getopt_long", "getopt_long_only", "qsort", "bsearch", "printf", "fprintf", "snprintf", "sprintf", "dprintf"];

/// What holds the address of a constant or variable of the base, or compares it.
pub(super) fn holder(units: &[Facts<'_>], home: &Facts<'_>, constant: &Global<'_>) -> Option<Related> {
    // String literals are values: nobody may tell one from its copy.
    if constant.linkage == "private" {
        return None;
    }
    let local = constant.linkage == "internal";
    units.iter().filter(|f| !local || f.index == home.index).find_map(|f| holder_in(&f.module, constant.name))
}

fn holder_in(module: &Module<'_>, name: &str) -> Option<Related> {
    let symbol = format!("@{name}");
    let names = |text: &str| tokens(text).any(|t| t.kind == Kind::Global && t.text == symbol);
    let mut variables = module.globals.iter().filter(|g| !g.constant && !g.name.starts_with("llvm."));
    let variable = variables.find(|g| g.initialiser.is_some_and(|i| i.contains(&symbol) && names(i)));
    if let Some(global) = variable {
        let name = crate::ir::lex::unescape(global.name);
        return Some(Related::at(RelatedKind::Variable, name, module.place_of_global(global)));
    }
    let bodies = module.functions.iter().filter(|f| f.body.is_some_and(|b| b.contains(&symbol)));
    let keeps = |f: &&Function<'_>| keeps(module, f.body.unwrap_or_default(), &symbol);
    bodies.into_iter().find(keeps).map(|function| {
        let name = crate::ir::lex::unescape(function.name);
        Related::at(RelatedKind::Function, name, module.place_of_function(function))
    })
}

/// Does a body do more with an address than reading, or writing, through it?
fn keeps(module: &Module<'_>, body: &str, symbol: &str) -> bool {
    !stays(body, symbol, |line, used| match line.opcode() {
        "load" => Use::Passes,
        "store" if !line.operands().first().is_some_and(|value| tokens(value).any(|t| used(&t))) => Use::Passes,
        "getelementptr" | "phi" | "select" | "freeze" => Use::Results,
        "call" | "invoke" if only_reads(module, line.words(), used) => Use::Passes,
        _ => Use::Leaves,
    })
}

fn only_reads(module: &Module<'_>, operands: &[Token<'_>], used: &dyn Fn(&Token<'_>) -> bool) -> bool {
    let callee = operands.windows(2).find(|w| w[0].kind == Kind::Global && w[1].is("(")).map_or("", |w| w[0].name());
    if KEEP_NOTHING.contains(&callee)
        || ["llvm.memcpy.", "llvm.memmove.", "llvm.load.relative."].iter().any(|p| callee.starts_with(p))
    {
        return true;
    }
    // Each argument that holds it must be one that the callee promises not to keep.
    let Some(function) = module.function_named(callee) else { return false };
    let open = operands.iter().position(|t| t.is("(")).unwrap_or(0);
    let open = operands.windows(2).position(|w| w[0].kind == Kind::Global && w[1].is("(")).map_or(open, |at| at + 1);
    let (mut depth, mut number, mut kept) = (0, 0, false);
    let promised =
        |number: usize| function.parameters().get(number).is_some_and(|p| tokens(p).any(|t| t.is("nocapture")));
    for token in operands.get(open..).unwrap_or_default() {
        depth += i32::from(token.is("(")) - i32::from(token.is(")"));
        if depth == 0 {
            break;
        }
        number += usize::from(depth == 1 && token.is(","));
        kept |= used(token) && !promised(number);
    }
    !kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(body: &str) -> bool {
        let text = format!(
            "@table = internal constant [2 x i32] zeroinitializer\ndeclare void @look(ptr nocapture)\n\
             declare void @take(ptr)\ndefine ptr @f(ptr %p, i64 %i) {{\n{body}\n}}\n"
        );
        let module = Module::parse(&text).expect("valid");
        holder_in(&module, "table").is_some()
    }

    #[test]
    fn reading_keeps_nothing() {
        assert!(!kept("  %1 = getelementptr i32, ptr @table, i64 %i\n  %2 = load i32, ptr %1, align 4"));
        assert!(!kept("  call void @look(ptr nocapture @table)"));
        assert!(!kept("  store i64 %i, ptr @table, align 8"));
    }

    #[test]
    fn storing_comparing_returning_and_handing_over_do() {
        assert!(kept("  store ptr @table, ptr %p, align 8"));
        assert!(kept("  store ptr getelementptr inbounds ([2 x i32], ptr @table, i64 0, i64 1), ptr %p, align 8"));
        assert!(kept("  %1 = icmp eq ptr %p, @table"));
        assert!(kept("  ret ptr @table"));
        assert!(kept("  %1 = getelementptr i32, ptr @table, i64 %i\n  call void @take(ptr %1)"));
    }
}
