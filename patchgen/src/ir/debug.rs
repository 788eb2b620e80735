//! Debug information in the text: names, scopes, lines.

use super::header::split_commas;
use super::lex::{Kind, tokens, unescape};
use super::{Function, Global, Module};

/// A debug node: `!DIFoo(key: value, ...)`, `distinct` or not.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// `DILocation`, `DISubprogram`, ...
    pub kind: &'a str,
    fields: Vec<(&'a str, &'a str)>,
}

impl<'a> Node<'a> {
    /// Splits a node's text; `None` when it is not a debug node.
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix("distinct ").unwrap_or(text).strip_prefix('!')?;
        let (kind, rest) = text.split_once('(')?;
        let inside = rest.strip_suffix(')')?;
        let fields = split_commas(inside).into_iter().filter_map(|f| f.split_once(": ")).collect();
        kind.starts_with("DI").then_some(Self { kind, fields })
    }

    /// A field's text.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.fields.iter().find(|(k, _)| *k == key).map(|(_, v)| *v)
    }

    /// A field that is a string.
    pub fn text(&self, key: &str) -> Option<String> {
        self.get(key).map(unescape)
    }

    /// A field that is a number; absent means 0, as LLVM prints it.
    pub fn number(&self, key: &str) -> u64 {
        self.get(key).and_then(|v| v.parse().ok()).unwrap_or(0)
    }
}

/// The number of a reference such as `!12`.
pub(crate) fn number(reference: &str) -> Option<usize> {
    reference.strip_prefix('!')?.parse().ok()
}

/// Nodes in the element list of a composite type.
pub(crate) fn elements(module: &Module<'_>, node: &Node<'_>) -> Vec<usize> {
    let list = node.get("elements").and_then(|e| module.node(e)).unwrap_or_default();
    tokens(list).filter(|t| t.kind == Kind::Meta).filter_map(|t| number(t.text)).collect()
}

/// Where something stands in the source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// File, as the compiler was told.
    pub file: String,
    /// Line; 0 when unknown.
    pub line: u32,
}

impl<'a> Module<'a> {
    /// The debug node `!N`.
    pub fn debug_node(&self, reference: &str) -> Option<Node<'a>> {
        Node::parse(self.node(reference)?)
    }

    /// The enclosing `DISubprogram` of a scope.
    pub fn subprogram(&self, scope: &str) -> Option<Node<'a>> {
        let mut node = self.debug_node(scope)?;
        for _ in 0..256 {
            if node.kind == "DISubprogram" {
                return Some(node);
            }
            node = self.debug_node(node.get("scope")?)?;
        }
        None
    }

    /// The file of a node that has one.
    pub fn file_of(&self, node: &Node<'a>) -> String {
        let file = node.get("file").and_then(|f| self.debug_node(f));
        file.and_then(|f| f.text("filename")).unwrap_or_default()
    }

    /// Where a function is defined.
    pub fn place_of_function(&self, function: &Function<'a>) -> Option<Place> {
        let reference = function.after.split("!dbg ").nth(1)?.split_whitespace().next()?;
        let node = self.debug_node(reference)?;
        Some(Place { file: self.file_of(&node), line: u32::try_from(node.number("line")).ok()? })
    }

    /// The `DIGlobalVariable` of a variable.
    pub fn variable(&self, global: &Global<'a>) -> Option<Node<'a>> {
        let expression = self.debug_node(global.debug()?)?;
        self.debug_node(expression.get("var")?)
    }

    /// Where a variable is defined.
    pub fn place_of_global(&self, global: &Global<'a>) -> Option<Place> {
        let node = self.variable(global)?;
        Some(Place { file: self.file_of(&node), line: u32::try_from(node.number("line")).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_between_nested_ones() {
        let node =
            Node::parse(r#"distinct !DISubprogram(name: "a, b", scope: !2, flags: A | B, line: 15, x: !{!1, !2})"#);
        let node = node.expect("a debug node");
        assert_eq!(node.text("name").as_deref(), Some("a, b"));
        assert_eq!((node.number("line"), node.number("column")), (15, 0));
        assert_eq!(node.get("x"), Some("!{!1, !2}"));
        assert!(Node::parse("!{!1}").is_none());
    }
}
