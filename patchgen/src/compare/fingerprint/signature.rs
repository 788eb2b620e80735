//! What a function's callers must agree with it about.

use crate::ir::header::{is_linkage, split_commas, type_end};
use crate::ir::lex::{Kind, Token, tokens};
use crate::ir::{Function, Module};

/// Attributes that change how a value is passed (LLVM language reference, parameter attributes).
const ABI: [&str; 14] = [
    "zeroext",
    "signext",
    "inreg",
    "byval",
    "byref",
    "sret",
    "inalloca",
    "preallocated",
    "nest",
    "swiftself",
    "swiftasync",
    "swifterror",
    "align",
    "alignstack",
];

const NOT_CONVENTION: [&str; 10] = [
    "hidden",
    "protected",
    "default",
    "dso_local",
    "dso_preemptable",
    "noundef",
    "nonnull",
    "noalias",
    "dllimport",
    "dllexport",
];

/// Type of the result, parameters, convention, in IR's words: `i32 (ptr, i32 signext, ...)`.
pub fn signature(function: &Function<'_>) -> String {
    let before: Vec<Token<'_>> = tokens(function.before).collect();
    let mut out = result(&before, function.before);
    let parameters: Vec<String> = function.parameters().iter().map(|p| parameter(p)).collect();
    out.push_str(&format!(" ({})", parameters.join(", ")));
    out
}

/// The words before the name: convention and ABI attributes, then the type.
fn result(before: &[Token<'_>], text: &str) -> String {
    // The type is what stands last: find the start from which one type reaches the end.
    let start = (0..before.len()).find(|&i| {
        let word = before[i];
        let attribute = word.kind == Kind::Word && before.get(i + 1).is_some_and(|n| n.is("("));
        !attribute && type_end(before, i) == Some(before.len())
    });
    let start = start.unwrap_or(0);
    let mut words: Vec<&str> = Vec::new();
    let mut depth = 0;
    for token in before.get(..start).unwrap_or_default() {
        depth += i32::from(token.is("(")) - i32::from(token.is(")"));
        let keep = depth == 0
            && token.kind == Kind::Word
            && !is_linkage(token.text)
            && !NOT_CONVENTION.contains(&token.text)
            && !token.text.starts_with("align")
            // On x86-64 the fast convention is the C convention (X86CallingConv.td, CC_X86_64).
            && token.text != "fastcc"
            && (ABI.contains(&token.text) || token.text.ends_with("cc") || token.text.contains("cc_"));
        if keep {
            words.push(token.text);
        }
    }
    let kind = before.get(start).and_then(|t| text.get(t.at..)).unwrap_or_default().trim();
    words.push(kind);
    words.join(" ")
}

fn parameter(text: &str) -> String {
    let all: Vec<Token<'_>> = tokens(text).collect();
    let end = type_end(&all, 0).unwrap_or(all.len());
    let kind = end.checked_sub(1).and_then(|e| all.get(e)).and_then(|t| text.get(..t.end())).unwrap_or(text);
    let mut out = kind.to_owned();
    let mut rest = all.get(end..).unwrap_or_default();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        // `align` says how a value is passed only beside `byval`; alone it is a promise about a pointer.
        let promise = first.text == "align" && !text.contains("byval");
        if first.kind == Kind::Word && ABI.contains(&first.text) && !promise {
            out.push(' ');
            out.push_str(first.text);
            let argument: Vec<&str> = match tail.first() {
                Some(t) if t.is("(") => {
                    let close = crate::ir::header::closing(tail, 0).unwrap_or(tail.len() - 1);
                    tail[..=close].iter().map(|t| t.text).collect()
                }
                Some(t) if first.text == "align" => vec![" ", t.text],
                _ => Vec::new(),
            };
            out.extend(argument);
        }
    }
    out
}

/// Does a parameter or the result point to another structure than before? In IR a pointer is a pointer; a caller that
/// is still running would hand over the wrong thing. `void *` and plain values say nothing.
pub fn pointees_differ(old: (&Module<'_>, &Function<'_>), new: (&Module<'_>, &Function<'_>)) -> bool {
    let (a, b) = (pointees(old.0, old.1), pointees(new.0, new.1));
    a.len() == b.len() && a.iter().zip(&b).any(|(a, b)| a.is_some() && b.is_some() && a != b)
}

/// What result and parameters point to, by debug information: named structures and unions only.
fn pointees(module: &Module<'_>, function: &Function<'_>) -> Vec<Option<String>> {
    let reference = function.after.split("!dbg ").nth(1).and_then(|t| t.split_whitespace().next());
    let declared = reference.and_then(|r| module.debug_node(r)).and_then(|n| module.debug_node(n.get("type")?));
    let list = declared.and_then(|n| module.node(n.get("types")?)).unwrap_or_default();
    let inside = list.trim_start_matches("!{").trim_end_matches('}');
    split_commas(inside).into_iter().map(|t| pointee(module, t)).collect()
}

fn pointee(module: &Module<'_>, reference: &str) -> Option<String> {
    let (mut reference, mut pointed) = (reference, false);
    for _ in 0..32 {
        let node = module.debug_node(reference)?;
        match (node.kind, node.get("tag")?) {
            ("DICompositeType", "DW_TAG_structure_type" | "DW_TAG_union_type" | "DW_TAG_class_type") => {
                return node.text("name").filter(|_| pointed);
            }
            ("DIDerivedType", "DW_TAG_pointer_type" | "DW_TAG_reference_type") => pointed = true,
            ("DIDerivedType", _) => {}
            _ => return None,
        }
        reference = node.get("baseType")?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> String {
        let text = format!("{line}\n");
        signature(&Module::parse(&text).expect("valid").functions[0])
    }

    #[test]
    fn promises_are_not_part_of_a_signature() {
        let a = of("declare dso_local noundef i32 @f(ptr nocapture noundef readonly align 8 %0, i8 noundef signext)");
        assert_eq!(a, "i32 (ptr, i8 signext)");
    }

    #[test]
    fn what_moves_registers_is() {
        assert_eq!(of("declare internal fastcc { i64, i64 } @f(ptr, ...)"), "{ i64, i64 } (ptr, ...)");
        assert_eq!(
            of("declare void @f(ptr sret(%struct.a) align 8, ptr byval(%struct.b) align 16)"),
            "void (ptr sret(%struct.a), ptr byval(%struct.b) align 16)"
        );
        assert_eq!(of("declare zeroext i1 @f()"), "zeroext i1 ()");
        assert_eq!(of("declare nonnull align 4 dereferenceable(8) ptr @f(<2 x float>)"), "ptr (<2 x float>)");
    }
}
