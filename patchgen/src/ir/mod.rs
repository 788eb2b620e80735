//! LLVM's printed text of a module, split into its parts. Everything later is made from these slices: what
//! LLVM prints is all there is to a module, so nothing can be forgotten, only misread.

pub mod debug;
pub mod header;
pub mod lex;
pub mod line;
pub mod symver;
pub mod variables;

use std::collections::HashMap;

pub use header::{Function, Global};
use lex::{TokenKind, tokens};

/// What a global name stands for: an index into the list of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbol {
    /// [`Module::functions`].
    Function(usize),
    /// [`Module::globals`].
    Global(usize),
    /// [`Module::aliases`].
    Alias(usize),
}

/// A second name for something: alias or ifunc.
#[derive(Debug, Clone)]
pub struct Alias<'a> {
    /// Printed name, without `@`.
    pub name: &'a str,
    /// What stands behind the `=`.
    pub text: &'a str,
    /// An ifunc: the resolver decides when the program starts.
    pub ifunc: bool,
}

/// The parts of one module's text.
#[derive(Debug, Default)]
pub struct Module<'a> {
    /// `target datalayout` and `target triple` lines.
    pub target: Vec<&'a str>,
    /// `module asm` lines.
    pub asm: Vec<&'a str>,
    /// Named types in order, `%name` and definition.
    pub types: Vec<(&'a str, &'a str)>,
    /// The same by name.
    pub type_index: HashMap<&'a str, &'a str>,
    /// Variables and constants, defined or declared.
    pub globals: Vec<Global<'a>>,
    /// Functions, defined or declared.
    pub functions: Vec<Function<'a>>,
    /// Aliases and ifuncs.
    pub aliases: Vec<Alias<'a>>,
    /// All of them by printed name without `@`.
    pub symbols: HashMap<&'a str, Symbol>,
    /// Comdats: `$name` -> how the linker picks one.
    pub comdats: HashMap<&'a str, &'a str>,
    /// Attribute groups: `#0` -> `{ ... }`.
    pub attributes: HashMap<&'a str, &'a str>,
    /// Numbered metadata: index -> node.
    pub metadata: Vec<&'a str>,
    /// Named metadata: `llvm.module.flags` -> `!{...}`.
    pub named_metadata: HashMap<&'a str, &'a str>,
}

impl<'a> Module<'a> {
    /// A type with the named types in it replaced by what they are. Pointers are opaque, so that this ends.
    pub fn spelled_out(&self, text: &str) -> String {
        let mut out = String::new();
        for token in tokens(text) {
            match self.type_index.get(token.text).filter(|_| token.kind == TokenKind::Local) {
                Some(definition) => out.push_str(&self.spelled_out(definition)),
                None => out.push_str(token.text),
            }
            out.push(' ');
        }
        out
    }

    /// Splits the text of one module. What is not understood is an error: it might matter.
    pub fn parse(text: &'a str) -> Result<Self, String> {
        let mut module = Module::default();
        let mut rest = text;
        while !rest.is_empty() {
            let (line, tail) = rest.split_once('\n').unwrap_or((rest, ""));
            if line.starts_with("define ") {
                let end = rest.find("\n}").ok_or_else(|| format!("function without end: `{line}`"))?;
                let body = rest.get(line.len()..end + 1).unwrap_or_default();
                module.function(line, Some(body))?;
                rest = rest.get(end + 2..).unwrap_or_default();
                continue;
            }
            module.line(line)?;
            rest = tail;
        }
        Ok(module)
    }

    fn line(&mut self, line: &'a str) -> Result<(), String> {
        let Some(first) = line.bytes().next() else { return Ok(()) };
        let split = || line.split_once(" = ").ok_or_else(|| format!("line not understood: `{line}`"));
        match first {
            b';' => {}
            b'@' => self.global(line)?,
            b'%' => {
                let (name, definition) = split()?;
                let definition = definition.strip_prefix("type ").ok_or_else(|| format!("not a type: `{line}`"))?;
                self.types.push((name, definition));
                self.type_index.insert(name, definition);
            }
            b'!' => {
                let (name, node) = split()?;
                self.metadata_line(name.get(1..).unwrap_or_default(), node);
            }
            b'$' => {
                let (name, kind) = split()?;
                self.comdats.insert(name, kind);
            }
            _ if line.starts_with("declare ") => self.function(line, None)?,
            _ if line.starts_with("attributes #") => {
                let (name, group) = split()?;
                self.attributes.insert(name.strip_prefix("attributes ").unwrap_or(name), group);
            }
            _ if line.starts_with("target ") => self.target.push(line),
            _ if line.starts_with("module asm ") => self.asm.push(line),
            _ if line.starts_with("source_filename") => {}
            _ => return Err(format!("line not understood: `{line}`")),
        }
        Ok(())
    }

    fn metadata_line(&mut self, name: &'a str, node: &'a str) {
        match name.parse::<usize>() {
            Ok(number) => {
                if self.metadata.len() <= number {
                    self.metadata.resize(number + 1, "");
                }
                self.metadata[number] = node;
            }
            Err(_) => {
                self.named_metadata.insert(name, node);
            }
        }
    }

    fn global(&mut self, line: &'a str) -> Result<(), String> {
        let name = lex::tokens(line).next().filter(|t| t.kind == TokenKind::Global).map(|t| t.name());
        let name = name.ok_or_else(|| format!("global not understood: `{line}`"))?;
        let text = line.get(name.len() + 1..).and_then(|t| t.strip_prefix(" = "));
        let text = text.ok_or_else(|| format!("global not understood: `{line}`"))?;
        let word = lex::tokens(text)
            .find(|t| t.kind == TokenKind::Word && matches!(t.text, "alias" | "ifunc" | "global" | "constant"));
        let word = word.ok_or_else(|| format!("global not understood: `{line}`"))?;
        let symbol = if matches!(word.text, "alias" | "ifunc") {
            self.aliases.push(Alias { name, text, ifunc: word.text == "ifunc" });
            Symbol::Alias(self.aliases.len() - 1)
        } else {
            self.globals.push(Global::parse(name, text).ok_or_else(|| format!("global not understood: `{line}`"))?);
            Symbol::Global(self.globals.len() - 1)
        };
        self.symbols.insert(name, symbol);
        Ok(())
    }

    fn function(&mut self, line: &'a str, body: Option<&'a str>) -> Result<(), String> {
        let function = Function::parse(line, body).ok_or_else(|| format!("function not understood: `{line}`"))?;
        self.symbols.insert(function.name, Symbol::Function(self.functions.len()));
        self.functions.push(function);
        Ok(())
    }

    /// The function of this printed name.
    pub fn function_named(&self, name: &str) -> Option<&Function<'a>> {
        match self.symbols.get(name)? {
            Symbol::Function(i) => self.functions.get(*i),
            _ => None,
        }
    }

    /// The variable or constant of this printed name.
    pub fn global_named(&self, name: &str) -> Option<&Global<'a>> {
        match self.symbols.get(name)? {
            Symbol::Global(i) => self.globals.get(*i),
            _ => None,
        }
    }

    /// Body or initialiser of this printed name.
    pub fn text_of(&self, name: &str) -> Option<&'a str> {
        match self.symbols.get(name)? {
            Symbol::Function(i) => self.functions.get(*i)?.body,
            Symbol::Global(i) => self.globals.get(*i)?.initialiser,
            Symbol::Alias(_) => None,
        }
    }

    /// The node `!N`, given with or without its `!`.
    pub fn node(&self, reference: &str) -> Option<&'a str> {
        let number: usize = reference.strip_prefix('!').unwrap_or(reference).parse().ok()?;
        self.metadata.get(number).copied().filter(|n| !n.is_empty())
    }
}

/// Does the unit emit this function?
pub fn is_defined(function: &Function<'_>) -> bool {
    function.body.is_some() && function.linkage != "available_externally"
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"; ModuleID = 'a.c'
source_filename = "a.c"
target triple = "x86_64-pc-linux-gnu"

%struct.pt = type { i32, [2 x i8] }

@.str = private unnamed_addr constant [2 x i8] c"a\00", align 1, !dbg !0
@x = external thread_local(initialexec) global %struct.pt, align 4
@al = dso_local alias i32 (i32), ptr @f

; Function Attrs: nounwind
define internal fastcc i32 @f(ptr noundef %0, ...) unnamed_addr #0 !dbg !1 {
  ret i32 0
}

declare void @g(ptr byval(%struct.pt) align 8) #1

attributes #0 = { nounwind }
!llvm.ident = !{!2}
!2 = !{!"clang"}
"#;

    #[test]
    fn every_part_is_found() {
        let m = Module::parse(TEXT).expect("valid");
        assert_eq!(m.globals.len(), 2);
        assert!(m.globals[0].constant && m.globals[0].is_unnamed() && m.globals[0].initialiser == Some("c\"a\\00\""));
        assert!(m.globals[1].tls.is_some() && m.globals[1].initialiser.is_none());
        assert_eq!(m.globals[1].value_type, "%struct.pt");
        assert_eq!(m.functions[0].linkage, "internal");
        assert_eq!(m.functions[0].parameters(), ["ptr noundef %0", "..."]);
        assert!(m.functions[1].body.is_none());
        assert_eq!(m.aliases[0].name, "al");
        assert_eq!(m.node("!2"), Some("!{!\"clang\"}"));
        assert_eq!(m.attributes["#0"], "{ nounwind }");
    }

    #[test]
    fn an_unknown_line_is_an_error() {
        assert!(Module::parse("gizmo @x\n").is_err());
    }
}
