//! Calls through pointers: which functions each of them may reach. In C nothing but the type tells, so every function
//! whose address is taken is a candidate for every call of its type.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::graph::DiGraph;
use petgraph::visit::EdgeRef;

use super::{Use, uses};
use crate::compare::resolve::{Definition, Resolver};
use crate::ir::Function;
use crate::ir::header::{split_commas, type_end};
use crate::ir::is_defined;
use crate::ir::lex::{Token, TokenKind, tokens, unescape};

/// Calls through pointers in the units that were read.
#[derive(Debug, Default)]
pub struct Indirect {
    /// Function -> types it calls through pointers.
    called: BTreeMap<Definition, BTreeSet<String>>,
    /// Function whose address is taken -> its type, and who takes it.
    taken: BTreeMap<Definition, (String, BTreeSet<String>)>,
}

impl Indirect {
    pub(super) fn find(resolver: &Resolver<'_, '_>, graph: &DiGraph<Definition, Use>) -> Self {
        let mut out = Self::default();
        for edge in graph.edge_references().filter(|e| *e.weight() == Use::Address) {
            out.take(resolver, graph[edge.target()].clone(), &graph[edge.source()].1);
        }
        for facts in &resolver.new.units {
            for function in facts.module.functions.iter().filter(|f| is_defined(f)) {
                let lines = function.body.unwrap_or_default().lines().filter(|line| has_local_callee(line));
                let called: BTreeSet<String> = lines.filter_map(call_through_pointer).collect();
                if !called.is_empty() {
                    out.called.insert((facts.index, function.name.to_owned()), called);
                }
            }
            for global in facts.module.globals.iter().filter(|g| !g.name.starts_with("llvm.")) {
                let addresses = global.initialiser.filter(|i| i.contains('@')).unwrap_or_default();
                for (name, _) in uses(addresses) {
                    if facts.module.function_named(name).is_some()
                        && let Some(definition) = resolver.definition(facts.index, name)
                    {
                        out.take(resolver, definition, global.name);
                    }
                }
            }
        }
        out
    }

    fn take(&mut self, resolver: &Resolver<'_, '_>, definition: Definition, address_holder: &str) {
        let facts = resolver.new.facts(definition.0);
        let Some(function) = facts.and_then(|f| f.module.function_named(&definition.1)) else { return };
        let entry = self.taken.entry(definition).or_insert_with(|| (kind(function), BTreeSet::new()));
        entry.1.insert(unescape(address_holder));
    }

    /// The functions that a function's calls through pointers may reach, of those that were read.
    pub fn candidates(&self, caller: &Definition) -> Vec<&Definition> {
        let Some(called) = self.called.get(caller) else { return Vec::new() };
        self.taken.iter().filter(|(_, (kind, _))| called.contains(kind)).map(|(definition, _)| definition).collect()
    }

    /// The functions whose calls through pointers may reach this one, of those that were read.
    pub fn callers(&self, function: &Definition) -> Vec<&Definition> {
        let Some((kind, _)) = self.taken.get(function) else { return Vec::new() };
        self.called.iter().filter(|(_, called)| called.contains(kind)).map(|(definition, _)| definition).collect()
    }

    /// Who takes a function's address: functions, variables and tables by name.
    pub fn address_holders(&self, function: &Definition) -> Vec<&str> {
        self.taken
            .get(function)
            .into_iter()
            .flat_map(|(_, address_holders)| address_holders)
            .map(String::as_str)
            .collect()
    }
}

/// A function's type: `i32 (ptr, ...)`, without attributes.
pub(super) fn kind(function: &Function<'_>) -> String {
    let before: Vec<Token<'_>> = tokens(function.before).collect();
    let result = last_type(&before).map_or("", |at| function.before.get(at..).unwrap_or_default().trim());
    with_parameters(result, &function.parameters())
}

/// Where the type begins that stands last.
fn last_type(words: &[Token<'_>]) -> Option<usize> {
    let ends = |&i: &usize| {
        let attribute = words[i].kind == TokenKind::Word && words.get(i + 1).is_some_and(|n| n.is("("));
        type_end(words, i) == Some(words.len()) && (!attribute || i == 0 || !words[i].text.starts_with("range"))
    };
    (0..words.len()).find(ends).map(|i| words[i].at)
}

fn with_parameters(result: &str, parameters: &[&str]) -> String {
    let first = |parameter: &&str| {
        let words: Vec<Token<'_>> = tokens(parameter).collect();
        let end = type_end(&words, 0).and_then(|end| words.get(end.checked_sub(1)?)).map_or(0, Token::end);
        if parameter.starts_with("...") { "..." } else { parameter.get(..end).unwrap_or_default() }.to_owned()
    };
    let list: Vec<String> = parameters.iter().map(first).collect();
    format!("{result} ({})", list.join(", "))
}

/// Is there `%name(` in it? Most lines have none, and need not be split.
fn has_local_callee(line: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '$' | '"');
    line.match_indices('(').any(|(at, _)| line[..at].trim_end_matches(is_name).ends_with('%'))
}

/// The type that a line calls through a pointer, if it does.
fn call_through_pointer(line: &str) -> Option<String> {
    let all: Vec<Token<'_>> = tokens(line).collect();
    let call = all.iter().position(|t| t.is("call") || t.is("invoke"))?;
    let callee = (call + 1..all.len()).find(|&i| {
        matches!(all[i].kind, TokenKind::Local | TokenKind::Global) && all.get(i + 1).is_some_and(|next| next.is("("))
    })?;
    // `%struct.pair @f()`: a named type is a local name, too, but no parenthesis follows it.
    if all[callee].kind != TokenKind::Local {
        return None;
    }
    let before = all.get(call + 1..callee)?;
    let start = last_type(before)?;
    let result = line.get(start..all[callee].at)?.trim();
    if result.contains('(') && result.ends_with(')') {
        return Some(result.to_owned());
    }
    let mut depth = 0i32;
    let close = (callee + 1..all.len()).find(|&i| {
        depth += i32::from(all[i].is("(")) - i32::from(all[i].is(")"));
        depth == 0
    })?;
    let inside = line.get(all[callee + 1].end()..all[close].at)?;
    Some(with_parameters(result, &split_commas(inside)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Module;

    #[test]
    fn a_call_and_a_function_of_one_type_have_one_text() {
        let text = "define internal range(i32 0, 9) i32 @f(ptr noundef %0, i32 noundef %1) {\n}\n\
                    declare i32 @v(ptr noundef, ...)\ndefine %struct.p @s(ptr byval(%struct.p) align 8 %0) {\n}\n\
                    define void @n() {\n}\n";
        let module = Module::parse(text).expect("valid");
        let of = |name| kind(module.function_named(name).expect("there"));
        let call = |line| call_through_pointer(line).expect("a call through a pointer");
        assert_eq!(call("  %3 = tail call i32 %2(ptr noundef nonnull @x, i32 noundef 1) #2, !dbg !37"), of("f"));
        assert_eq!(call("  %2 = tail call i32 (ptr, ...) %1(ptr noundef nonnull @.str, i32 1) #2"), of("v"));
        assert_eq!(call("  %5 = call %struct.p %4(ptr noundef byval(%struct.p) align 8 %1)"), of("s"));
        assert_eq!(call("  call void %1()"), of("n"));
        assert_eq!(call("  invoke fastcc noundef i32 %2(ptr %0, i32 2) to label %3 unwind label %4"), of("f"));
        assert_ne!(of("f"), of("v"));
    }

    #[test]
    fn a_call_by_name_is_none() {
        for line in ["  call void @f(ptr %0)", "  %1 = call %struct.p @s(ptr %0)", "  %1 = load ptr, ptr %0"] {
            assert!(!has_local_callee(line) || call_through_pointer(line).is_none(), "{line}");
        }
    }
}
