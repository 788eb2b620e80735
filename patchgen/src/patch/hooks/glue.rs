//! The functions that the runtime calls: each returns an `int` and calls the author's.

use super::{Hooks, Moment, Transformed};
use crate::compare::resolve::Definition;
use crate::ir::lex::escape;
use crate::patch::extract::{Piece, Pieces};
use crate::problem::{Problem, Reason, Result};
use crate::toolchain::TRIPLE;

/// One more piece of the patch; none when nothing is to be called.
pub fn piece(hooks: &Hooks, transformed: &Transformed, pieces: &mut Pieces) -> Result<Option<Piece>> {
    let moments = hooks.moments(transformed);
    if moments.is_empty() {
        return Ok(None);
    }
    let mut text = format!("source_filename = \"hooks\"\ntarget triple = \"{TRIPLE}\"\n");
    let mut declared = String::new();
    for moment in moments {
        text.push_str(&format!("define hidden i32 @{}() {{\n", escape(&moment.symbol())));
        if moment == Moment::PostApply {
            for (function, variable) in &transformed.list {
                let (function, variable) = (symbol(pieces, function)?, escape(&pieces.base_symbol(variable)));
                declared.push_str(&format!("declare hidden void @{function}(ptr, ptr)\n"));
                declared.push_str(&format!("@{variable} = external global i8\n"));
                text.push_str(&format!("  call void @{function}(ptr @{variable}, ptr @{variable})\n"));
            }
        }
        let entry = hooks.entry(moment);
        let result = if entry.is_some_and(|e| !e.silent) { "%1" } else { "0" };
        if let Some(entry) = entry {
            let function = symbol(pieces, &entry.definition)?;
            let (kind, to) = if entry.silent { ("void", "") } else { ("i32", "%1 = ") };
            declared.push_str(&format!("declare hidden {kind} @{function}()\n"));
            text.push_str(&format!("  {to}call {kind} @{function}()\n"));
        }
        text.push_str(&format!("  ret i32 {result}\n}}\n"));
    }
    text.push_str(&declared);
    text.push_str("!llvm.module.flags = !{!0}\n!0 = !{i32 8, !\"PIC Level\", i32 2}\n");
    Ok(Some(Piece { unit: String::from("hooks"), text }))
}

fn symbol(pieces: &Pieces, definition: &Definition) -> Result<String> {
    let missing = || Problem::new(Reason::Internal, &definition.1, "is a hook that was not given a symbol");
    pieces.symbols.get(definition).map(|s| escape(s)).ok_or_else(missing)
}
