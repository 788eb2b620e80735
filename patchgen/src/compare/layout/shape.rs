//! The layout of named types, as lists of members.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::ir::Module;
use crate::ir::debug::{Node, elements, number};
use crate::problem::{Related, RelatedKind};

/// One member, or one value of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    name: String,
    /// Offset in bits; the value, in an enumeration.
    offset: u64,
    size: u64,
    kind: String,
}

/// A type's layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    word: &'static str,
    size: u64,
    members: Vec<Member>,
}

/// The named types of a module.
pub(super) struct Shapes {
    /// Name -> layout and node.
    pub(super) named: BTreeMap<String, (Shape, usize)>,
    /// The same of types without a name: see [`super::unnamed`].
    pub(super) unnamed: BTreeMap<String, (Shape, usize)>,
}

impl Shapes {
    /// All structures, unions and enumerations that have a name, of their own or by a typedef.
    pub(super) fn of(module: &Module<'_>) -> Self {
        let mut named = BTreeMap::new();
        for (id, text) in module.metadata.iter().enumerate() {
            let Some(node) = Node::parse(text) else { continue };
            let (name, target) = match (node.kind, node.get("tag")) {
                ("DICompositeType", _) => (node.text("name"), Some(id)),
                ("DIDerivedType", Some("DW_TAG_typedef")) => (node.text("name"), node.get("baseType").and_then(number)),
                _ => continue,
            };
            let (Some(name), Some(target)) = (name, target) else { continue };
            let composite = module.debug_node(&format!("!{target}")).filter(|n| n.kind == "DICompositeType");
            let own_name = composite.as_ref().and_then(|n| n.text("name"));
            if own_name.is_none_or(|own| own == name)
                && !super::unnamed::is_numbered(&name)
                && let Some(shape) = composite.and_then(|n| shape(module, &n))
            {
                named.insert(name, (shape, target));
            }
        }
        let known = named.iter().map(|(name, (_, id))| (name.clone(), *id)).collect();
        let unnamed = super::unnamed::find(module, known).into_iter().filter_map(|(name, id)| {
            let shape = shape(module, &module.debug_node(&format!("!{id}"))?)?;
            Some((name, (shape, id)))
        });
        let unnamed = unnamed.collect();
        Self { named, unnamed }
    }
}

fn shape(module: &Module<'_>, node: &Node<'_>) -> Option<Shape> {
    if node.get("flags").is_some_and(|f| f.contains("DIFlagFwdDecl")) {
        return None;
    }
    let word = match node.get("tag")? {
        "DW_TAG_structure_type" | "DW_TAG_class_type" => "struct",
        "DW_TAG_union_type" => "union",
        "DW_TAG_enumeration_type" => "enum",
        _ => return None,
    };
    let mut members: Vec<Member> = elements(module, node).into_iter().filter_map(|id| member(module, id)).collect();
    // Members without a name are known by their order.
    for (number, member) in members.iter_mut().filter(|m| m.name.is_empty()).enumerate() {
        member.name = format!("(unnamed {})", number + 1);
    }
    Some(Shape { word, size: node.number("size"), members })
}

fn member(module: &Module<'_>, id: usize) -> Option<Member> {
    let node = module.debug_node(&format!("!{id}"))?;
    let name = node.text("name").unwrap_or_default();
    if node.kind == "DIEnumerator" {
        let value = node.get("value").and_then(|v| v.parse::<i128>().ok()).unwrap_or(0);
        return Some(Member { name, offset: value as u64, size: 0, kind: String::new() });
    }
    let data = node.kind == "DIDerivedType" && matches!(node.get("tag")?, "DW_TAG_member" | "DW_TAG_inheritance");
    let kind = describe(module, node.get("baseType"), 0);
    data.then(|| Member { name, offset: node.number("offset"), size: node.number("size"), kind })
}

/// A type in words: what matters for reading a value of it, without following pointers.
pub(crate) fn describe(module: &Module<'_>, reference: Option<&str>, depth: u32) -> String {
    let Some(node) = reference.and_then(|r| module.debug_node(r)) else { return String::from("void") };
    let inner = |d| describe(module, node.get("baseType"), d);
    let tag = node.get("tag").unwrap_or_default();
    let size = node.number("size");
    match (node.kind, tag) {
        _ if depth > 32 => String::from("..."),
        ("DIBasicType", _) => format!("{} of {size} bits", node.get("encoding").unwrap_or_default()),
        ("DIDerivedType", "DW_TAG_pointer_type" | "DW_TAG_reference_type") => String::from("pointer"),
        ("DIDerivedType", _) => inner(depth + 1),
        ("DISubroutineType", _) => String::from("function"),
        ("DICompositeType", "DW_TAG_array_type") => format!("{size} bits of {}", inner(depth + 1)),
        ("DICompositeType", "DW_TAG_enumeration_type") => format!("enum of {size} bits"),
        ("DICompositeType", _) => match node.text("name") {
            Some(name) => format!("{name} of {size} bits"),
            None => {
                // A nameless part of the type belongs to it.
                let parts = shape(module, &node).map(|s| s.members).unwrap_or_default();
                let parts: Vec<String> =
                    parts.into_iter().map(|m| format!("{} {} at {}", m.kind, m.name, m.offset)).collect();
                format!("{{{}}}", parts.join(", "))
            }
        },
        (kind, _) => kind.to_owned(),
    }
}

impl Shape {
    /// Where it has arrays of bytes, in bytes from its start: those that are not its first member.
    pub(super) fn byte_arrays(&self) -> Vec<Range<u64>> {
        let byte = |kind: &str| kind.contains(" bits of DW_ATE_") && kind.ends_with("_char of 8 bits");
        let arrays = self.members.iter().filter(|m| self.word == "struct" && m.offset > 0 && byte(&m.kind));
        arrays.map(|m| m.offset / 8..(m.offset + m.size) / 8).collect()
    }
}

/// How two layouts of one type differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    /// In words.
    pub(super) message: String,
    /// Each member that differs, and the size.
    pub(super) related: Vec<Related>,
    /// An enumeration: its values may be anywhere.
    pub(super) values: bool,
}

/// What differs; `None` when data of the old layout can be used as the new one.
pub(super) fn difference(old: &Shape, new: &Shape) -> Option<Difference> {
    let values = old.word == "enum" && new.word == "enum";
    let mut parts = if values { differing_values(old, new) } else { differing_members(old, new) };
    let padding = !values && fits_into_padding(old, new, &parts);
    if old.size != new.size {
        let (was, becomes) = (bytes(old.size), bytes(new.size));
        let text = format!("its size was {was} and would be {becomes} bytes");
        parts.push((text, Related::changed(RelatedKind::Size, "", Some(was), Some(becomes))));
    }
    if parts.is_empty() {
        return None;
    }
    let more = parts.len().saturating_sub(4);
    let (mut texts, related): (Vec<String>, Vec<Related>) = parts.into_iter().unzip();
    texts.truncate(4);
    let tail = if more > 0 { format!(", and {more} more") } else { String::new() };
    let garbage = if padding { ", where objects that exist have padding, whose content is garbage" } else { "" };
    Some(Difference { message: format!("{}{tail}{garbage}", texts.join(", ")), related, values })
}

type Part = (String, Related);

/// A new value is a value that no live data has; one that means something else is another matter.
fn differing_values(old: &Shape, new: &Shape) -> Vec<Part> {
    let mut parts = Vec::new();
    for m in &old.members {
        if let Some(n) = new.members.iter().find(|n| n.name == m.name).filter(|n| n.offset != m.offset) {
            let (was, becomes) = ((m.offset as i64).to_string(), (n.offset as i64).to_string());
            let text = format!("`{}` was {was} and would be {becomes}", m.name);
            parts.push((text, Related::changed(RelatedKind::Member, &m.name, Some(was), Some(becomes))));
        }
    }
    parts
}

fn differing_members(old: &Shape, new: &Shape) -> Vec<Part> {
    let find = |list: &[Member], name: &str| list.iter().find(|m| m.name == name).cloned();
    // A member that only has another name now is the same member, and so is one that is read in other ways as well.
    let stays = |m: &Member, n: &Member| {
        n.offset == m.offset && n.size == m.size && (n.kind == m.kind || has_alternative(&n.kind, &m.kind))
    };
    // Which alternative of a union data holds is known by something else, and data there is holds none of the new ones.
    let alternative = old.word == "union" && new.word == "union" && old.size == new.size;
    let renamed: Vec<Member> = old.members.iter().filter(|m| find(&new.members, &m.name).is_none()).cloned().collect();
    let renaming: Vec<Member> = new.members.iter().filter(|m| find(&old.members, &m.name).is_none()).cloned().collect();
    let mut parts = Vec::new();
    for m in &old.members {
        let text = match find(&new.members, &m.name) {
            None if renaming.iter().any(|n| stays(m, n)) => continue,
            Some(n) if stays(m, &n) => continue,
            None => format!("`{}` at offset {} is gone", m.name, bytes(m.offset)),
            Some(n) if n.offset != m.offset => {
                format!("`{}` moved from offset {} to {}", m.name, bytes(m.offset), bytes(n.offset))
            }
            Some(n) if n.size != m.size => {
                format!("`{}` was {} and would be {} bytes long", m.name, bytes(m.size), bytes(n.size))
            }
            Some(n) if n.kind != m.kind => format!("`{}` was `{}` and would be `{}`", m.name, m.kind, n.kind),
            Some(_) => continue,
        };
        let becomes = find(&new.members, &m.name).map(|n| n.shown());
        parts.push((text, Related::changed(RelatedKind::Member, &m.name, Some(m.shown()), becomes)));
    }
    for n in renaming.iter().filter(|n| !alternative && !renamed.iter().any(|m| stays(m, n))) {
        let text = format!("`{}` is new at offset {}", n.name, bytes(n.offset));
        parts.push((text, Related::changed(RelatedKind::Member, &n.name, None, Some(n.shown()))));
    }
    parts
}

/// Whether a nameless union, as [`describe`] words it, can be read as `kind`, too: as one of its members, or as another
/// nameless union that has fewer.
fn has_alternative(union: &str, kind: &str) -> bool {
    let parts = |text: &str| -> Vec<String> {
        let inside = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or_default();
        crate::ir::header::split_commas(inside).into_iter().map(str::to_owned).collect()
    };
    let (alternatives, former) = (parts(union), parts(kind));
    let is_union = |parts: &[String]| !parts.is_empty() && parts.iter().all(|part| part.ends_with(" at 0"));
    let member = |part: &String| {
        let named = part.strip_suffix(" at 0").and_then(|part| part.strip_prefix(kind));
        named.is_some_and(|name| name.starts_with(' ') && !name.trim().contains([' ', '{']))
    };
    let wider = || is_union(&former) && former.iter().all(|part| alternatives.contains(part));
    is_union(&alternatives) && (alternatives.iter().any(member) || wider())
}

/// Is everything where it was, and are the new members where nothing was?
fn fits_into_padding(old: &Shape, new: &Shape, parts: &[Part]) -> bool {
    let only_new = !parts.is_empty() && parts.iter().all(|(_, r)| r.old.is_none());
    let free = |n: &Member| old.members.iter().all(|m| n.offset + n.size <= m.offset || m.offset + m.size <= n.offset);
    let come = |n: &&Member| parts.iter().any(|(_, r)| r.name == n.name);
    old.word == "struct" && old.size == new.size && only_new && new.members.iter().filter(come).all(free)
}

impl Member {
    /// Offset, size and type, for a person.
    fn shown(&self) -> String {
        format!("offset {}, {} bytes, {}", bytes(self.offset), bytes(self.size), self.kind)
    }
}

fn bytes(bits: u64) -> String {
    if bits.is_multiple_of(8) { (bits / 8).to_string() } else { format!("{}.{}", bits / 8, bits % 8) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes(members: &str, nodes: &str, size: u32) -> Shape {
        let text = format!(
            "!0 = distinct !DICompositeType(tag: DW_TAG_structure_type, name: \"s\", size: {size}, elements: !1)\n\
             !1 = !{{{members}}}\n!9 = !DIBasicType(name: \"int\", size: 32, encoding: DW_ATE_signed)\n{nodes}"
        );
        let module = Module::parse(&text).expect("valid");
        Shapes::of(&module).named["s"].0.clone()
    }

    fn member(id: u32, name: &str, offset: u32) -> String {
        format!(
            "!{id} = !DIDerivedType(tag: DW_TAG_member, name: \"{name}\", baseType: !9, size: 32, offset: {offset})\n"
        )
    }

    #[test]
    fn members_without_a_name_are_told_apart() {
        let unnamed = shapes("!2, !3", &(member(2, "", 0) + &member(3, "", 32)), 64);
        assert_eq!(difference(&unnamed, &unnamed), None);
    }

    #[test]
    fn swapped_and_new_members_are_named() {
        let old = shapes("!2, !3", &(member(2, "a", 0) + &member(3, "b", 32)), 64);
        let swapped = shapes("!2, !3", &(member(2, "b", 0) + &member(3, "a", 32)), 64);
        let grown = shapes("!2, !3, !4", &(member(2, "a", 0) + &member(3, "b", 32) + &member(4, "c", 64)), 96);
        assert_eq!(difference(&old, &old), None);
        assert!(difference(&old, &swapped).expect("differs").message.contains("`a` moved from offset 0 to 4"));
        let message = difference(&old, &grown).expect("differs").message;
        assert!(message.contains("`c` is new at offset 8") && message.contains("12 bytes"), "{message}");
    }

    #[test]
    fn another_way_to_read_a_member_is_no_other_layout() {
        let union = "!5 = !DICompositeType(tag: DW_TAG_union_type, size: 32, elements: !6)\n!6 = !{!7, !8}\n\
                     !7 = !DIDerivedType(tag: DW_TAG_member, name: \"number\", baseType: !9, size: 32)\n\
                     !8 = !DIDerivedType(tag: DW_TAG_member, name: \"word\", baseType: !10, size: 32)\n\
                     !10 = !DIBasicType(name: \"unsigned\", size: 32, encoding: DW_ATE_unsigned)\n";
        let member = |name: &str, kind: u32| {
            format!("!2 = !DIDerivedType(tag: DW_TAG_member, name: \"{name}\", baseType: !{kind}, size: 32)\n{union}")
        };
        let (plain, wrapped) = (shapes("!2", &member("a", 9), 32), shapes("!2", &member("a", 5), 32));
        assert_eq!(difference(&plain, &wrapped), None);
        assert_eq!(difference(&plain, &shapes("!2", &member("u", 5), 32)), None);
        assert!(difference(&wrapped, &plain).is_some(), "it may hold the other one");
    }

    #[test]
    fn a_union_may_get_another_alternative_but_not_grow() {
        let union = |members: &str, size: u32| {
            let mut shape = shapes(members, &(member(2, "a", 0) + &member(3, "b", 0)), size);
            shape.word = "union";
            shape
        };
        assert_eq!(difference(&union("!2", 32), &union("!2, !3", 32)), None);
        assert!(difference(&union("!2, !3", 32), &union("!2", 32)).is_some());
        assert!(difference(&union("!2", 32), &union("!2, !3", 64)).is_some());
    }

    #[test]
    fn a_member_in_former_padding_is_told_from_one_that_moves_others() {
        let old = shapes("!2", &member(2, "a", 0), 128);
        let hole = shapes("!2, !3", &(member(2, "a", 0) + &member(3, "b", 64)), 128);
        let found = difference(&old, &hole).expect("differs");
        assert!(found.message.contains("padding"), "{found:?}");
        assert_eq!(found.related.len(), 1);
        let moved = shapes("!2, !3", &(member(2, "b", 0) + &member(3, "a", 64)), 128);
        assert!(!difference(&old, &moved).expect("differs").message.contains("padding"));
    }
}
