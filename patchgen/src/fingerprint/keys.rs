//! Names that survive a rebuild. Static locals are numbered by the compiler (`f.x`, `f.x.1`), so they are known
//! by function, name and order instead; everything else by its name.

use std::collections::HashMap;

use crate::ir::Module;
use crate::ir::lex::unescape;

/// Stable keys of a module's variables.
#[derive(Debug, Default, Clone)]
pub struct Keys {
    by_name: HashMap<String, String>,
    by_key: HashMap<String, String>,
    /// How many static locals share function and name.
    counts: HashMap<String, usize>,
}

impl Keys {
    /// Reads them off the module's debug information.
    pub fn of(module: &Module<'_>) -> Self {
        let mut keys = Keys::default();
        for global in module.globals.iter().filter(|g| g.linkage == "internal") {
            let Some(base) = static_local(module, global) else { continue };
            let count = keys.counts.entry(base.clone()).or_default();
            *count += 1;
            let key = format!("{base}#{count}");
            keys.by_name.insert(global.name.to_owned(), key.clone());
            keys.by_key.insert(key, global.name.to_owned());
        }
        keys
    }

    /// The key of a printed name.
    pub fn key<'k>(&'k self, name: &'k str) -> &'k str {
        self.by_name.get(name).map_or(name, String::as_str)
    }

    /// The printed name behind a key.
    pub fn name<'k>(&'k self, key: &'k str) -> &'k str {
        self.by_key.get(key).map_or(key, String::as_str)
    }

    /// How many static locals share the function and name of this key; 0 for anything else.
    pub fn siblings(&self, key: &str) -> usize {
        key.rsplit_once('#').and_then(|(base, _)| self.counts.get(base)).copied().unwrap_or(0)
    }
}

/// `function::name`, plus the piece for a variable that was split.
fn static_local<'a>(module: &Module<'a>, global: &crate::ir::Global<'a>) -> Option<String> {
    let variable = module.variable(global)?;
    let scope = variable.get("scope").filter(|s| *s != "null")?;
    let function = module.subprogram(scope)?.text("name")?;
    let expression = module.debug_node(global.debug()?)?.get("expr").unwrap_or_default();
    let piece = expression.split("DW_OP_LLVM_fragment").nth(1).map_or("", |p| p.trim_end_matches(')'));
    Some(format!("{function}::{}{piece}", variable.text("name").unwrap_or_else(|| unescape(global.name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn static_locals_are_known_by_function_name_and_order() {
        let text = r#"@f.x = internal global i32 0, align 4, !dbg !0
@f.x.1 = internal global i32 0, align 4, !dbg !3
@y = internal global i32 0, align 4, !dbg !5
!0 = !DIGlobalVariableExpression(var: !1, expr: !DIExpression())
!1 = distinct !DIGlobalVariable(name: "x", scope: !2)
!2 = distinct !DISubprogram(name: "f")
!3 = !DIGlobalVariableExpression(var: !4, expr: !DIExpression())
!4 = distinct !DIGlobalVariable(name: "x", scope: !7)
!5 = !DIGlobalVariableExpression(var: !6, expr: !DIExpression())
!6 = distinct !DIGlobalVariable(name: "y", scope: !8)
!7 = distinct !DILexicalBlock(scope: !2)
!8 = distinct !DICompileUnit(language: DW_LANG_C11)
"#;
        let keys = Keys::of(&Module::parse(text).expect("valid"));
        assert_eq!((keys.key("f.x"), keys.key("f.x.1"), keys.key("y")), ("f::x#1", "f::x#2", "y"));
        assert_eq!((keys.name("f::x#2"), keys.siblings("f::x#1")), ("f.x.1", 2));
    }
}
