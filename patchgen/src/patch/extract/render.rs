//! Writes the text of one extracted module.

use std::collections::{BTreeMap, BTreeSet};

use super::{Extracted, ExtractedModule, POINT_MARKER, base_tls_model, rename};
use crate::compare::closure::UpdateSet;
use crate::compare::resolve::{BaseKind, BaseSymbol, Definition, Resolver};
use crate::ir::debug::Place;
use crate::ir::header::{VISIBILITY_WORDS, is_linkage};
use crate::ir::lex::{Token, TokenKind, escape, tokens, unescape};
use crate::ir::{Function, Global, Module, Symbol};
use crate::problem::{Problem, Reason, Result};

/// Attachments that only debug information and passes before code generation read. `!callees` also names functions,
/// as the unit calls them.
const DROPPED: [&str; 7] =
    ["!dbg", "!DIAssignID", "!srcloc", "!heapallocsite", "!llvm.loop", "!annotation", "!callees"];

/// Module flags that say how the original was linked, or describe its debug information.
const DROPPED_FLAGS: [&str; 6] = [
    "\"PIE Level\"",
    "\"PIC Level\"",
    "\"Debug Info Version\"",
    "\"Dwarf Version\"",
    "\"debug-info-assignment-tracking\"",
    "\"direct-access-external-data\"",
];

/// What the check of a quiescence point does: two loads and a compare (runtime/include/dsu.h).
const POINT: &str = "@__dsu_generation = external global i32
@__dsu_thread_generation = external thread_local global i32
declare void @__dsu_quiesce() nonlazybind
define internal void @__dsu_quiescence_point() {
  %1 = load atomic i32, ptr @__dsu_generation acquire, align 4
  %2 = load i32, ptr @__dsu_thread_generation, align 4
  %3 = icmp eq i32 %1, %2
  br i1 %3, label %5, label %4
4:
  call void @__dsu_quiesce()
  br label %5
5:
  ret void
}
";

struct Renderer<'r, 's, 'a> {
    resolver: &'r Resolver<'s, 'a>,
    set: &'r UpdateSet,
    extracted: &'r mut Extracted,
    unit: usize,
    module: &'r Module<'a>,
    /// Printed name in the module -> declaration, for what is only referred to.
    declarations: BTreeMap<String, String>,
    /// Bodies this module holds: their labels can be named.
    bodies: BTreeSet<&'r str>,
    metadata: BTreeSet<usize>,
    /// Names left to the dynamic linker.
    externals: BTreeSet<String>,
    /// Where the function being written stands.
    place: Option<Place>,
}

pub(super) fn unit(
    resolver: &Resolver<'_, '_>,
    set: &UpdateSet,
    extracted: &mut Extracted,
    unit: usize,
    definitions: &[&Definition],
) -> Result<ExtractedModule> {
    let missing = || Problem::new(Reason::Internal, "unit", "of an update set was not read");
    let facts = resolver.new.facts(unit).ok_or_else(missing)?;
    let module = &facts.module;
    let mut renderer = Renderer {
        resolver,
        set,
        extracted,
        unit,
        module,
        declarations: BTreeMap::new(),
        bodies: definitions.iter().map(|d| d.1.as_str()).collect(),
        metadata: BTreeSet::new(),
        externals: BTreeSet::new(),
        place: None,
    };
    let (mut data, mut code) = (String::new(), String::new());
    for definition in definitions {
        match module.symbols.get(definition.1.as_str()) {
            Some(Symbol::Global(i)) => renderer.global(&module.globals[*i], definition, &mut data)?,
            Some(Symbol::Function(i)) => renderer.function(&module.functions[*i], definition, &mut code)?,
            _ => return Err(missing()),
        }
    }
    // Without a name the code generator takes the temporary file's, which differs from run to run.
    let mut text = format!("source_filename = \"{}\"\n", facts.unit.name.replace(['\\', '"'], "_"));
    text.push_str(&module.target.join("\n"));
    text.push('\n');
    for (name, definition) in &module.types {
        text.push_str(&format!("{name} = type {definition}\n"));
    }
    text.push_str(&data);
    text.push_str(&renderer.declarations.values().cloned().collect::<String>());
    text.push_str(&code);
    for (name, group) in &module.attributes.iter().collect::<BTreeMap<_, _>>() {
        text.push_str(&format!("attributes {name} = {group}\n"));
    }
    text.push_str(&renderer.versions());
    renderer.write_metadata(&mut text);
    Ok(ExtractedModule { unit: facts.unit.name.clone(), text })
}

impl<'r, 'a> Renderer<'r, '_, 'a> {
    fn global(&mut self, global: &Global<'a>, definition: &Definition, out: &mut String) -> Result<()> {
        let symbol = escape(&self.extracted.symbols[definition]);
        let linkage = match () {
            () if self.extracted.persistent(definition).is_some() => "",
            () if global.linkage == "private" => "private",
            () => "hidden",
        };
        let word = if global.constant { "constant" } else { "global" };
        let initialiser = self.rewrite(global.initialiser.unwrap_or("zeroinitializer"))?;
        let (address, kind, other) = (global.address, global.value_type, global.other);
        let tls = global.tls.unwrap_or_default();
        out.push_str(&format!("@{symbol} = {linkage} {tls} {address} {other} {word} {kind} {initialiser}"));
        for item in global.tail_items().into_iter().filter(|i| !i.starts_with("comdat") && !i.starts_with('!')) {
            out.push_str(&format!(", {item}"));
        }
        out.push('\n');
        Ok(())
    }

    fn function(&mut self, function: &Function<'a>, definition: &Definition, out: &mut String) -> Result<()> {
        let symbol = escape(&self.extracted.symbols[definition]);
        self.place = self.module.place_of_function(function);
        out.push_str("define hidden ");
        out.push_str(&words_before(function.before));
        let after = self.rewrite(&words_after(function.after, true))?;
        out.push_str(&format!(" @{symbol}({}) {after} {{\n", self.rewrite(function.inside)?));
        for line in function.body.unwrap_or_default().lines() {
            let trimmed = line.trim_start();
            if !trimmed.is_empty() && !trimmed.starts_with("#dbg_") && !line.contains("@llvm.dbg.") {
                out.push_str(&self.rewrite(line)?);
                out.push('\n');
            }
        }
        out.push_str("}\n");
        Ok(())
    }

    /// Text with its names replaced and debug attachments dropped; declares what it refers to.
    fn rewrite(&mut self, text: &str) -> Result<String> {
        let all: Vec<Token<'_>> = tokens(text).collect();
        let (mut out, mut from, mut at) = (String::with_capacity(text.len()), 0, 0);
        let mut label_of = false;
        while let Some(token) = all.get(at) {
            let drop_from = if token.is(",") { at + 1 } else { at };
            let dropped = all.get(drop_from).filter(|t| t.kind == TokenKind::Meta && DROPPED.contains(&t.text));
            if dropped.is_some() {
                out.push_str(text.get(from..token.at).unwrap_or_default());
                from = all.get(drop_from + 1).map_or(text.len(), Token::end);
                at = drop_from + 2;
                continue;
            }
            if token.kind == TokenKind::Global {
                out.push_str(text.get(from..token.at).unwrap_or_default());
                from = token.end();
                let printed = if label_of { self.body(token.name())? } else { self.reference(token.name())? };
                out.push_str(&format!("@{printed}"));
            }
            if token.kind == TokenKind::Meta {
                self.metadata.extend(token.name().parse::<usize>().ok());
            }
            label_of = token.is("blockaddress") || (label_of && token.is("("));
            at += 1;
        }
        out.push_str(text.get(from..).unwrap_or_default());
        // A comment may hold `preds = %1`, which is nothing to the parser, and a `;` inside a string is no comment.
        Ok(out)
    }

    /// The function whose labels are meant: only a body in this module has them.
    fn body(&mut self, name: &str) -> Result<String> {
        let symbol = self.extracted.symbols.get(&(self.unit, name.to_owned())).filter(|_| self.bodies.contains(name));
        let problem =
            || Problem::new(Reason::RelativeReference, name, "the address of a label in it is used elsewhere");
        symbol.map(|s| escape(s)).ok_or_else(problem)
    }

    fn reference(&mut self, name: &str) -> Result<String> {
        let renamed = rename(self.resolver, self.set, self.extracted, self.unit, name, self.place.as_ref())?;
        let here = self.extracted.symbols.contains_key(&(self.unit, name.to_owned())) && self.bodies.contains(name);
        if (here && renamed.base.is_none() && !renamed.external) || self.declarations.contains_key(&renamed.printed) {
            return Ok(renamed.printed);
        }
        if name == POINT_MARKER {
            self.declarations.insert(renamed.printed.clone(), POINT.to_owned());
            return Ok(renamed.printed);
        }
        let declaration = match self.module.symbols.get(name).copied() {
            Some(Symbol::Function(i)) => declare(&self.module.functions[i], &renamed.printed, renamed.base.is_some()),
            Some(Symbol::Global(i)) => self.declare_global(&self.module.globals[i], &renamed.printed, renamed.base),
            Some(Symbol::Alias(i)) => self.declare_alias(self.module.aliases[i].text, &renamed.printed, renamed.base),
            None => return Err(Problem::new(Reason::Internal, name, "is used but not declared")),
        };
        if renamed.external {
            self.externals.insert(unescape(&renamed.printed));
        }
        self.declarations.insert(renamed.printed.clone(), declaration);
        Ok(renamed.printed)
    }

    /// Directives that say which version of a library's symbol the unit means.
    fn versions(&self) -> String {
        let list = self.module.symvers().unwrap_or_default();
        let used = list.iter().filter(|s| self.externals.contains(s.name));
        used.map(|s| format!("module asm \".symver {},{}\"\n", s.name, s.versioned)).collect()
    }

    fn declare_global(&self, global: &Global<'a>, printed: &str, base: Option<BaseSymbol>) -> String {
        let word = if global.constant { "constant" } else { "global" };
        let kind = global.value_type;
        let linkage = if global.linkage == "extern_weak" { "extern_weak" } else { "external" };
        let tls = match (&base, global.tls) {
            (Some(b), _) if b.kind == BaseKind::Tls => base_tls_model(self.resolver.old.build),
            (Some(_), _) => "",
            (None, Some(_)) => "thread_local",
            (None, None) => "",
        };
        let hidden = self.hidden(base.is_none(), global.name);
        let align = global.tail_items().into_iter().find(|i| i.starts_with("align ")).map(|i| format!(", {i}"));
        format!("@{printed} = {linkage} {hidden} {tls} {word} {kind}{}\n", align.unwrap_or_default())
    }

    /// Something another extracted module of this patch defines cannot be preempted, unless it is persistent.
    fn hidden(&self, maybe: bool, name: &str) -> &'static str {
        let definition = maybe.then(|| self.resolver.definition(self.unit, name)).flatten();
        let here = |d| self.extracted.symbols.contains_key(d) && self.extracted.persistent(d).is_none();
        if definition.as_ref().is_some_and(here) { "hidden" } else { "" }
    }

    fn declare_alias(&self, text: &str, printed: &str, base: Option<BaseSymbol>) -> String {
        match base.map(|b| b.kind) {
            Some(BaseKind::Data) => format!("@{printed} = external global i8\n"),
            Some(BaseKind::Tls) => {
                format!("@{printed} = external {} global i8\n", base_tls_model(self.resolver.old.build))
            }
            _ => {
                // `dso_local alias i32 (i32), ptr @f`: the type stands behind the word.
                let kind = text.split_once("alias ").or_else(|| text.split_once("ifunc ")).map_or("", |(_, t)| t);
                let all: Vec<Token<'_>> = tokens(kind).collect();
                let open = all.iter().rposition(|t| t.is("(")).map_or(0, |i| all[i].at);
                let (result, rest) = kind.split_at(open);
                let inside = rest.split_once(')').map_or("", |(i, _)| i);
                format!("declare {result} @{printed}{inside}) nonlazybind\n")
            }
        }
    }

    fn write_metadata(&mut self, text: &mut String) {
        let flags = self.module.named_metadata.get("llvm.module.flags").copied().unwrap_or("!{}");
        let mut kept: Vec<usize> = Vec::new();
        for token in tokens(flags).filter(|t| t.kind == TokenKind::Meta) {
            let node = self.module.node(token.text).unwrap_or_default();
            if !DROPPED_FLAGS.iter().any(|f| node.contains(f)) {
                kept.extend(token.name().parse::<usize>().ok());
            }
        }
        let mut queue: Vec<usize> = self.metadata.iter().copied().chain(kept.iter().copied()).collect();
        self.metadata.clear();
        while let Some(id) = queue.pop() {
            if self.metadata.insert(id) {
                let node = self.module.metadata.get(id).copied().unwrap_or_default();
                let children = tokens(node).filter(|t| t.kind == TokenKind::Meta);
                queue.extend(children.filter_map(|t| t.name().parse::<usize>().ok()));
            }
        }
        let next = self.module.metadata.len();
        let list: Vec<String> = kept.iter().map(|id| format!("!{id}")).chain([format!("!{next}")]).collect();
        text.push_str(&format!("!llvm.module.flags = !{{{}}}\n", list.join(", ")));
        for id in &self.metadata {
            text.push_str(&format!("!{id} = {}\n", self.module.metadata.get(*id).copied().unwrap_or("!{}")));
        }
        text.push_str(&format!("!{next} = !{{i32 8, !\"PIC Level\", i32 2}}\n"));
    }
}

/// Words before a name that are not about who sees it.
fn words_before(text: &str) -> String {
    let all: Vec<Token<'_>> = tokens(text).collect();
    let kept = all.iter().filter(|t| {
        t.kind != TokenKind::Word
            || !(is_linkage(t.text) || VISIBILITY_WORDS.contains(&t.text) || t.text == "dllimport")
    });
    let mut out = String::new();
    let mut end = 0;
    for token in kept {
        if token.at > end {
            out.push(' ');
        }
        out.push_str(token.text);
        end = token.end();
    }
    out.trim().to_owned()
}

/// Words behind the parameters: attributes; with `definition`, also section, alignment and personality.
fn words_after(text: &str, definition: bool) -> String {
    let mut out = Vec::new();
    let mut rest = tokens(text).peekable();
    while let Some(token) = rest.next() {
        match (token.kind, token.text) {
            (TokenKind::Word, "comdat") => {
                if rest.peek().is_some_and(|t| t.is("(")) {
                    rest.by_ref().take(3).for_each(drop);
                }
            }
            (TokenKind::Word, "section" | "align" | "gc" | "partition") if !definition => drop(rest.next()),
            // What follows a personality is a constant, and nothing a declaration needs comes behind it.
            (TokenKind::Word, "personality" | "prefix" | "prologue") if !definition => break,
            (TokenKind::Meta, _) => drop(rest.next()),
            (TokenKind::Word, word) if VISIBILITY_WORDS.contains(&word) => {}
            (_, word) => out.push(word),
        }
    }
    out.join(" ")
}

fn declare(function: &Function<'_>, printed: &str, base: bool) -> String {
    let parameters: Vec<String> = function
        .parameters()
        .into_iter()
        .map(|p| {
            // The last word of a parameter is its name when it has one.
            let last = tokens(p).last().filter(|t| t.kind == TokenKind::Local && t.at > 0);
            last.map_or(p, |t| p.get(..t.at).unwrap_or(p)).trim().to_owned()
        })
        .collect();
    let weak = if function.linkage == "extern_weak" && !base { "extern_weak " } else { "" };
    let bind = if base { " nonlazybind" } else { "" };
    let (before, after) = (words_before(function.before), words_after(function.after, false));
    format!("declare {weak}{before} @{printed}({}) {after}{bind}\n", parameters.join(", "))
}
