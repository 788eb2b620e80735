//! Metadata by content. Uniqued nodes are replaced by a hash; distinct ones have identity, so they are numbered
//! as a function meets them and spelled out the first time, which also ends cycles.

use std::collections::HashMap;

use super::mark;
use crate::ir::Module;
use crate::ir::lex::{Kind, tokens};

/// What stands for a node.
#[derive(Debug, Clone)]
enum Shape {
    /// Debug information: nothing.
    Debug,
    /// Content only, hashed.
    Content(String),
    /// Has identity, or leads to something that has.
    Identity,
    /// Being looked at further up.
    Open,
}

/// Memory of nodes already looked at.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    shapes: HashMap<usize, Shape>,
}

fn number(reference: &str) -> Option<usize> {
    reference.strip_prefix('!')?.parse().ok()
}

impl Metadata {
    fn shape(&mut self, module: &Module<'_>, id: usize) -> Shape {
        if let Some(known) = self.shapes.get(&id) {
            return known.clone();
        }
        let text = module.metadata.get(id).copied().unwrap_or_default();
        let shape = if text.strip_prefix("distinct ").unwrap_or(text).starts_with("!DI") {
            Shape::Debug
        } else if text.starts_with("distinct") {
            Shape::Identity
        } else {
            self.shapes.insert(id, Shape::Open);
            self.content(module, text)
        };
        self.shapes.insert(id, shape.clone());
        shape
    }

    fn content(&mut self, module: &Module<'_>, text: &str) -> Shape {
        let mut out = String::new();
        for token in tokens(text) {
            let child = (token.kind == Kind::Meta).then(|| number(token.text)).flatten();
            match child.map(|id| self.shape(module, id)) {
                None => out.push_str(token.text),
                Some(Shape::Debug) => out.push_str("debug"),
                Some(Shape::Content(mark)) => out.push_str(&mark),
                Some(Shape::Identity | Shape::Open) => return Shape::Identity,
            }
            out.push(' ');
        }
        Shape::Content(mark(&out))
    }

    /// Writes what stands for `!id`; `seen` numbers the nodes with identity that this function met.
    pub(super) fn write(
        &mut self,
        module: &Module<'_>,
        reference: &str,
        seen: &mut HashMap<usize, usize>,
        out: &mut String,
    ) {
        let Some(id) = number(reference) else { return out.push_str(reference) };
        match self.shape(module, id) {
            Shape::Debug => out.push_str("debug"),
            Shape::Content(mark) => out.push_str(&mark),
            Shape::Identity | Shape::Open => {
                let next = seen.len();
                if let Some(known) = seen.get(&id) {
                    out.push_str(&format!("!distinct{known}"));
                    return;
                }
                seen.insert(id, next);
                out.push_str(&format!("!distinct{next}=("));
                for token in tokens(module.metadata.get(id).copied().unwrap_or_default()) {
                    match token.kind {
                        Kind::Meta => self.write(module, token.text, seen, out),
                        _ => out.push_str(token.text),
                    }
                    out.push(' ');
                }
                out.push(')');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, reference: &str) -> String {
        let module = Module::parse(text).expect("valid");
        let mut out = String::new();
        Metadata::default().write(&module, reference, &mut HashMap::new(), &mut out);
        out
    }

    #[test]
    fn numbers_do_not_matter_and_content_does() {
        let a = written("!0 = !{!1, i64 0}\n!1 = !{!\"int\"}\n", "!0");
        assert_eq!(a, written("!5 = !{!7, i64 0}\n!7 = !{!\"int\"}\n", "!5"));
        assert_ne!(a, written("!0 = !{!1, i64 0}\n!1 = !{!\"long\"}\n", "!0"));
        assert_ne!(a, written("!0 = !{!1, i64 8}\n!1 = !{!\"int\"}\n", "!0"));
    }

    #[test]
    fn cycles_end_and_lines_inside_them_are_dropped() {
        let text = |line| format!("!0 = distinct !{{!0, !1}}\n!1 = !DILocation(line: {line})\n");
        assert_eq!(written(&text(1), "!0"), written(&text(2), "!0"));
    }

    #[test]
    fn two_distinct_nodes_of_one_content_stay_two() {
        let module = Module::parse("!0 = distinct !{}\n!1 = distinct !{}\n").expect("valid");
        let (mut metadata, mut seen, mut out) = (Metadata::default(), HashMap::new(), String::new());
        for reference in ["!0", "!1", "!0"] {
            metadata.write(&module, reference, &mut seen, &mut out);
        }
        assert_eq!(out.matches("!distinct0").count(), 2);
        assert_eq!(out.matches("!distinct1").count(), 1);
    }
}
