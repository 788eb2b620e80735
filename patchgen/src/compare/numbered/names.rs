//! Numbers that the compiler gives, as they stand in symbol names.

use std::ops::Range;

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `__f_block_invoke`, `__f_block_invoke_2`.
    Block,
    /// `3$_0`: the length of the name stands before it.
    Lambda,
    /// `UlvE_`, `UlvE0_`: lambdas of inline functions.
    Closure,
    /// `__block_literal_global`, `__block_literal_global.2`.
    Constant,
}

/// A number in a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Numbered {
    /// How it is written.
    pub(super) kind: Style,
    /// What is numbered: the names of one family differ in the number alone.
    pub(super) family: String,
    /// The number.
    pub(super) number: u64,
    /// Where it stands, with all that [`render`] writes.
    pub(super) range: Range<usize>,
}

impl Numbered {
    /// Is it the number of a constant?
    pub(super) fn is_data(&self) -> bool {
        self.kind == Style::Constant
    }
}

const BLOCK: &str = "_block_invoke";
const LAMBDA: &str = "$_";
const CLOSURE: &str = "Ul";
const CONSTANTS: [&str; 2] = ["__block_literal_global", "__block_descriptor_tmp"];

/// A number as it stands in a name.
pub(super) fn render(kind: Style, number: u64) -> String {
    match (kind, number) {
        (Style::Block, 0 | 1) | (Style::Closure | Style::Constant, 0) => String::new(),
        (Style::Block, n) => format!("_{n}"),
        (Style::Lambda, n) => format!("{}{LAMBDA}{n}", LAMBDA.len() + n.to_string().len()),
        (Style::Closure, n) => (n - 1).to_string(),
        (Style::Constant, n) => format!(".{n}"),
    }
}

/// The function, as far as its name tells, that something numbered belongs to.
pub(super) fn owner(family: &str) -> &str {
    let family = family.split_once(' ').map_or(family, |(_, rest)| rest);
    if family.is_empty() { "file scope" } else { family }
}

/// All numbers in a text, from left to right.
pub(super) fn occurrences(text: &str) -> impl Iterator<Item = Numbered> {
    let mut found: Vec<Numbered> = Vec::new();
    found.extend(text.match_indices(BLOCK).filter_map(|(at, _)| block(text, at)));
    found.extend(text.match_indices(LAMBDA).filter_map(|(at, _)| lambda(text, at)));
    found.extend(text.match_indices(CLOSURE).filter_map(|(at, _)| closure(text, at)));
    for stem in CONSTANTS {
        found.extend(text.match_indices(stem).map(|(at, _)| constant(text, stem, at)));
    }
    found.sort_by_key(|n| (n.range.start, n.range.end));
    found.dedup_by(|b, a| b.range.start < a.range.end);
    found.into_iter()
}

/// A text with a star for each number.
pub(super) fn mask(text: &str, data: bool) -> String {
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for found in occurrences(text).filter(|found| found.is_data() == data) {
        out.push_str(text.get(from..found.range.start).unwrap_or_default());
        out.push('*');
        from = found.range.end;
    }
    out + text.get(from..).unwrap_or_default()
}

/// What stands before a place and belongs to the same name.
fn before(text: &str, at: usize) -> &str {
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.');
    let head = text.get(..at).unwrap_or_default();
    head.get(head.rfind(|c| !name(c)).map_or(0, |i| i + 1)..).unwrap_or_default()
}

fn digits(text: &str, at: usize) -> &str {
    let tail = text.get(at..).unwrap_or_default();
    tail.get(..tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len())).unwrap_or_default()
}

fn block(text: &str, at: usize) -> Option<Numbered> {
    let owner = before(text, at);
    let end = at + BLOCK.len();
    let number = if text.get(end..end + 1) == Some("_") { digits(text, end + 1) } else { "" };
    let range = if number.is_empty() { end..end } else { end..end + 1 + number.len() };
    let family = format!("block {}", mask(owner.trim_start_matches('_'), false));
    // A block in a block has the name of the outer one in its own.
    owner.starts_with("__").then(|| Numbered { kind: Style::Block, family, number: number.parse().unwrap_or(1), range })
}

fn lambda(text: &str, at: usize) -> Option<Numbered> {
    let all = digits(text, at + LAMBDA.len());
    let head = before(text, at);
    let length = head.get(head.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |i| i + 1)..)?;
    let count = length.parse::<usize>().ok()?.checked_sub(LAMBDA.len()).filter(|n| (1..=all.len()).contains(n))?;
    let range = at - length.len()..at + LAMBDA.len() + count;
    let family = format!("lambda {}", context(head.strip_suffix(length)?));
    Some(Numbered { kind: Style::Lambda, family, number: all.get(..count)?.parse().ok()?, range })
}

fn closure(text: &str, at: usize) -> Option<Numbered> {
    let head = before(text, at);
    if !head.contains("_Z") {
        return None;
    }
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.');
    let tail = text.get(at..)?;
    let tail = tail.get(..tail.find(|c| !name(c)).unwrap_or(tail.len()))?;
    let end = tail.match_indices('E').find_map(|(e, _)| {
        let number = digits(tail, e + 1);
        (tail.as_bytes().get(e + 1 + number.len()) == Some(&b'_')).then_some((e + 1, number))
    });
    let (from, number) = end?;
    let family = format!("lambda {}{}", context(head), tail.get(..from)?);
    let range = at + from..at + from + number.len();
    let number = if number.is_empty() { 0 } else { number.parse::<u64>().ok()?.checked_add(1)? };
    Some(Numbered { kind: Style::Closure, family, number, range })
}

fn constant(text: &str, stem: &str, at: usize) -> Numbered {
    let end = at + stem.len();
    let number = if text.get(end..end + 1) == Some(".") { digits(text, end + 1) } else { "" };
    let range = if number.is_empty() { end..end } else { end..end + 1 + number.len() };
    Numbered { kind: Style::Constant, family: stem.to_owned(), number: number.parse().unwrap_or(0), range }
}

/// The function that a mangled name says its lambda is in: `_ZNSt1hIZ1fvE` and `_ZZ1fvENK` are both `1fv`.
fn context(head: &str) -> &str {
    let inside = head.rfind('Z').and_then(|at| head.get(at + 1..)).unwrap_or(head);
    inside.trim_end_matches('K').trim_end_matches('N').trim_end_matches('E')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str) -> Vec<(String, u64)> {
        occurrences(name).map(|n| (n.family, n.number)).collect()
    }

    #[test]
    fn numbers_are_found_in_names_of_all_kinds() {
        assert_eq!(found("__arm_block_invoke"), [("block arm".into(), 1)]);
        assert_eq!(found("__arm_block_invoke_12"), [("block arm".into(), 12)]);
        assert_eq!(found("_ZZ4makelllENK3$_0clEl"), [("lambda 4makelll".into(), 0)]);
        assert_eq!(found("_ZNSt1hIFllEZ4makelllE3$_0E9_M_invokeEl"), [("lambda 4makelll".into(), 0)]);
        assert_eq!(found("_ZN3$_18__invokeEi"), [("lambda ".into(), 1)]);
        assert_eq!(found("_ZZ3inllENKUllE0_clEl"), [("lambda 3inllUllE".into(), 1)]);
        assert_eq!(found("__block_literal_global.3"), [("__block_literal_global".into(), 3)]);
        assert!(found("my_block_invoked").is_empty() && found("$_").is_empty() && found("aUlEb_").is_empty());
    }

    #[test]
    fn a_number_is_written_as_it_was_read() {
        for name in [
            "__f_block_invoke_2",
            "__f_block_invoke",
            "_ZZ1fvENK4$_10clEv",
            "_ZZ1fvENKUlvE_clEv",
            "__block_literal_global.2",
        ] {
            let found = occurrences(name).next().expect("numbered");
            assert_eq!(name.get(found.range.clone()), Some(render(found.kind, found.number).as_str()), "{name}");
        }
    }
}
