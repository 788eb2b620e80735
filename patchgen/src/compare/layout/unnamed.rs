//! Types without a name, known by what they are the type of: a variable, a member of another type, the lambda or block whose
//! captures they hold.

use std::collections::BTreeMap;

use crate::ir::Module;
use crate::ir::debug::Node;
use crate::ir::debug::{elements, number};

/// What the compiler calls the captures of a block, by number.
const BLOCK: &str = "__block_literal_";

/// Is it a name that only counts?
pub(super) fn is_numbered(name: &str) -> bool {
    name.strip_prefix(BLOCK).is_some_and(|n| n.parse::<u32>().is_ok())
}

/// The types that have no name, each with one; `named` are those that have.
pub(super) fn find(module: &Module<'_>, named: BTreeMap<String, usize>) -> BTreeMap<String, usize> {
    let mut out = BTreeMap::new();
    // Members of what has a name, or was given one: with the path that leads there.
    let mut queue: Vec<(String, usize)> = named.into_iter().collect();
    let mut seen: Vec<bool> = vec![false; module.metadata.len()];
    for (path, target) in roots(module) {
        out.insert(format!("unnamed type of {path}"), target);
        if !std::mem::replace(&mut seen[target], true) {
            queue.push((path, target));
        }
    }
    while let Some((path, id)) = queue.pop() {
        let Some(node) = module.debug_node(&format!("!{id}")) else { continue };
        for member in elements(module, &node) {
            let Some(member) = module.debug_node(&format!("!{member}")) else { continue };
            let Some(kind) = member.get("baseType").and_then(number).filter(|_| member.kind == "DIDerivedType") else {
                continue;
            };
            let Some((target, pointed)) = target(module, kind, false) else { continue };
            let inner = member.text("name").map_or_else(|| path.clone(), |name| format!("{path}::{name}"));
            // One that is a part of the other is described with it.
            if pointed {
                out.insert(format!("unnamed type of {inner}"), target);
            }
            if !std::mem::replace(&mut seen[target], true) {
                queue.push((inner, target));
            }
        }
    }
    out
}

/// Variables and closures with the type that has no name; of a local variable counts only what it points to.
fn roots(module: &Module<'_>) -> Vec<(String, usize)> {
    let mut out = Vec::new();
    for text in &module.metadata {
        let Some(node) = Node::parse(text) else { continue };
        let name = node.text("name");
        let (kind, by_pointer) = match (node.kind, name.as_deref()) {
            ("DIGlobalVariable", Some(_)) | ("DILocalVariable", Some(".block_descriptor")) => (node.get("type"), false),
            ("DILocalVariable", Some(name)) if name != "this" => (node.get("type"), true),
            ("DISubprogram", Some("operator()")) => (node.get("scope"), false),
            _ => continue,
        };
        let found = kind.and_then(number).and_then(|kind| target(module, kind, by_pointer));
        let Some(((target, _), name)) = found.zip(name) else { continue };
        let function = node.get("scope").and_then(|scope| module.subprogram(scope));
        let function = function.and_then(|f| f.text("linkageName").or_else(|| f.text("name")));
        let path = match (name.as_str(), function) {
            ("operator()", _) => node.text("linkageName"),
            (".block_descriptor", function) => function,
            (_, Some(function)) => Some(format!("{function}::{name}")),
            (_, None) => Some(name),
        };
        out.extend(path.map(|path| (path, target)));
    }
    out
}

/// The type without a name that a type is made of, by itself, in arrays or behind pointers, and whether there is a pointer.
fn target(module: &Module<'_>, id: usize, by_pointer: bool) -> Option<(usize, bool)> {
    let (mut id, mut pointed) = (id, false);
    for _ in 0..64 {
        let node = module.debug_node(&format!("!{id}"))?;
        let tag = node.get("tag").unwrap_or_default();
        let base = node.get("baseType").and_then(number);
        match (node.kind, tag) {
            ("DICompositeType", "DW_TAG_array_type") => id = base?,
            ("DICompositeType", _) => {
                let unnamed = node.text("name").is_none_or(|name| is_numbered(&name));
                return (unnamed && (pointed || !by_pointer)).then_some((id, pointed));
            }
            ("DIDerivedType", "DW_TAG_typedef") => {
                // It is the name of a type that has no other.
                let composite = module.debug_node(&format!("!{}", base?))?;
                let is_name = composite.kind == "DICompositeType" && composite.get("name").is_none();
                if is_name && composite.get("tag") != Some("DW_TAG_array_type") {
                    return None;
                }
                id = base?;
            }
            ("DIDerivedType", _) => {
                pointed |= tag.contains("pointer") || tag.contains("reference");
                id = base?;
            }
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_without_a_name_is_known_by_what_it_is_the_type_of() {
        let text = r#"!0 = distinct !DICompositeType(tag: DW_TAG_structure_type, name: "tab", size: 128, elements: !1)
!1 = !{!2}
!2 = !DIDerivedType(tag: DW_TAG_member, name: "rows", scope: !0, baseType: !3, size: 64)
!3 = !DIDerivedType(tag: DW_TAG_pointer_type, baseType: !4, size: 64)
!4 = distinct !DICompositeType(tag: DW_TAG_structure_type, size: 64, elements: !5)
!5 = !{}
!6 = distinct !DIGlobalVariable(name: "g", scope: !7, type: !8)
!7 = distinct !DISubprogram(name: "f")
!8 = distinct !DICompositeType(tag: DW_TAG_structure_type, size: 32, elements: !5)
!9 = !DILocalVariable(name: "tmp", scope: !7, type: !10)
!10 = distinct !DICompositeType(tag: DW_TAG_structure_type, size: 32, elements: !5)
"#;
        let module = Module::parse(text).expect("valid");
        let found = find(&module, BTreeMap::from([("tab".to_owned(), 0)]));
        let expected = [("unnamed type of f::g".to_owned(), 8), ("unnamed type of tab::rows".to_owned(), 4)];
        assert_eq!(found, BTreeMap::from(expected));
    }
}
