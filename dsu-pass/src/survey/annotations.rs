//! `__attribute__((annotate("...")))` on functions: clang lists them in `llvm.global.annotations`.

use std::collections::HashSet;

use crate::llvm::{Module, Value};

/// The functions annotated with `text`.
pub(super) fn functions_annotated<'m>(module: &'m Module<'_>, text: &str) -> HashSet<Value<'m>> {
    let Some(list) = module.global("llvm.global.annotations").and_then(Value::initializer) else {
        return HashSet::new();
    };
    list.operands()
        .filter_map(|entry| {
            let mut fields = entry.operands();
            let (of, note) = (fields.next()?, fields.next()?);
            (note.initializer()?.bytes()?.strip_suffix(b"\0") == Some(text.as_bytes())).then_some(of)
        })
        .collect()
}
