//! The table of changes: each puts something else where one token, or one call or condition, of a definition stands.
//! What comes out need not compile; the number of lines stays.
use std::collections::BTreeSet;
use std::ops::Range;

use fastrand::Rng;

use super::lex::{Item, Kind, Token};

/// A source file, taken apart.
#[derive(Debug)]
pub struct Source<'s> {
    /// Its text.
    pub text: &'s str,
    /// Its tokens.
    pub tokens: &'s [Token],
    /// Its definitions and declarations.
    pub items: &'s [Item],
}

/// Bytes of a file, and what stands there instead.
pub type Edit = (Range<usize>, String);

/// A change of a definition; nothing when it has no place for it.
pub type Change = fn(&Source<'_>, &Item, &mut Rng) -> Option<Edit>;

/// Name, weight and change.
pub const CHANGES: &[(&str, u32, Change)] = &[
    ("operator", 6, operator),
    ("constant", 6, constant),
    ("letter", 1, letter),
    ("text", 2, text),
    ("condition", 4, condition),
    ("call-dropped", 3, call_dropped),
    ("call-of-another", 2, call_of_another),
    ("argument", 2, argument),
    ("member", 3, member),
    ("type-width", 4, type_width),
    ("qualifier", 1, qualifier),
];

/// Changes a random token of a random definition; the name of the change.
pub fn change(source: &Source<'_>, rng: &mut Rng) -> Option<(&'static str, Edit)> {
    let functions: Vec<&Item> = source.items.iter().filter(|item| item.function).collect();
    let others: Vec<&Item> = source.items.iter().filter(|item| !item.function).collect();
    // A change that finds nothing to do is drawn again, but not for ever.
    for _ in 0..50 {
        let pool = if rng.u8(0..4) == 0 { &others } else { &functions };
        let Some(item) = pool.get(rng.usize(0..pool.len().max(1))) else { continue };
        let (name, change) = draw(rng);
        if let Some((at, new)) = change(source, item, rng) {
            let lines = source.text[at.clone()].matches('\n').count().saturating_sub(new.matches('\n').count());
            return Some((name, (at, new + &"\n".repeat(lines))));
        }
    }
    None
}

fn draw(rng: &mut Rng) -> (&'static str, Change) {
    let mut at = rng.u32(0..CHANGES.iter().map(|(_, weight, _)| weight).sum());
    for (name, weight, change) in CHANGES {
        match at.checked_sub(*weight) {
            Some(rest) => at = rest,
            None => return (name, *change),
        }
    }
    unreachable!("the number drawn is below the sum of the weights")
}

impl<'s> Source<'s> {
    fn word(&self, index: usize) -> &'s str {
        self.tokens.get(index).map_or("", |token| &self.text[token.at.clone()])
    }

    fn before(&self, index: usize) -> &'s str {
        index.checked_sub(1).map_or("", |before| self.word(before))
    }

    /// The token that closes what `open` opens.
    fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for index in open..self.tokens.len() {
            match self.word(index) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.checked_sub(1)?,
                _ => {}
            }
            if depth == 0 {
                return Some(index);
            }
        }
        None
    }

    /// From the first of some tokens to the last.
    fn span(&self, tokens: Range<usize>) -> Range<usize> {
        self.tokens[tokens.start].at.start..self.tokens[tokens.end - 1].at.end
    }
}

/// One of the tokens inside of a body or initialiser that `wanted` accepts.
fn inside(item: &Item, rng: &mut Rng, wanted: impl Fn(usize) -> bool) -> Option<usize> {
    pick(rng, (item.inside..item.tokens.end).filter(|index| wanted(*index)).collect())
}

fn pick<T>(rng: &mut Rng, mut from: Vec<T>) -> Option<T> {
    (!from.is_empty()).then(|| from.swap_remove(rng.usize(0..from.len())))
}

/// Operators that may stand for each other.
const ALIKE: [&[&str]; 10] = [
    &["==", "!="],
    &["<", ">", "<=", ">="],
    &["&&", "||"],
    &["+", "-"],
    &["/", "%", "*"],
    &["|", "^", "&"],
    &["<<", ">>"],
    &["+=", "-="],
    &["|=", "^=", "&=", "="],
    &["++", "--"],
];

fn operator(source: &Source<'_>, item: &Item, rng: &mut Rng) -> Option<Edit> {
    // Those that are also something else (a pointer's `*`, an address' `&`) only where an operand stands before.
    let operand = |index: usize| {
        let before = source.before(index);
        let tight = source.tokens.get(index + 1).is_some_and(|next| next.at.start == source.tokens[index].at.end);
        !matches!(before, "(" | "," | "=" | "return" | "{" | ";" | ")") && !tight
    };
    let alike = |index: usize| {
        let word = source.word(index);
        let found = ALIKE.iter().find(|alike| alike.contains(&word))?;
        (!matches!(word, "*" | "&" | "+" | "-" | "=") || operand(index)).then_some(*found)
    };
    let punctuation = |index: usize| source.tokens[index].kind == Kind::Punctuation;
    let at = inside(item, rng, |index| punctuation(index) && alike(index).is_some())?;
    let others = alike(at)?.iter().filter(|other| **other != source.word(at)).collect();
    Some((source.tokens[at].at.clone(), (*pick(rng, others)?).to_owned()))
}

fn constant(source: &Source<'_>, item: &Item, rng: &mut Rng) -> Option<Edit> {
    let at = inside(item, rng, |index| source.tokens[index].kind == Kind::Number)?;
    let number = source.word(at);
    let new = match rng.u8(0..6) {
        0 => rng.u8(0..8).to_string(),
        1 => format!("(~{number})"),
        2 => format!("0x{:X}", rng.u16(..)),
        3 => format!("({number} - 1)"),
        4 => format!("({number} * 2)"),
        _ => format!("({number} + 1)"),
    };
    Some((source.tokens[at].at.clone(), new))
}

fn letter(source: &Source<'_>, item: &Item, rng: &mut Rng) -> Option<Edit> {
    let at = inside(item, rng, |index| source.tokens[index].kind == Kind::Letter)?;
    Some((source.tokens[at].at.clone(), format!("'{}'", rng.char('A'..='z').escape_default())))
}

/// Changes one letter of a string, drops one or adds one.
fn text(source: &Source<'_>, item: &Item, rng: &mut Rng) -> Option<Edit> {
    let letters = |index: usize| -> Vec<usize> {
        let token = &source.tokens[index];
        let text = source.word(index);
        let plain =
            |at: &usize| text.as_bytes()[*at].is_ascii_lowercase() && !b"%\\".contains(&text.as_bytes()[at - 1]);
        if token.kind == Kind::Text { (1..text.len().saturating_sub(1)).filter(plain).collect() } else { Vec::new() }
    };
    let at = inside(item, rng, |index| !letters(index).is_empty())?;
    let begin = source.tokens[at].at.start + pick(rng, letters(at))?;
    let new = [String::new(), String::from("Q"), String::from("qq")][rng.usize(0..3)].clone();
    Some((begin..begin + 1, new))
}

fn condition(source: &Source<'_>, item: &Item, rng: &mut Rng) -> Option<Edit> {
    let at = inside(item, rng, |index| matches!(source.word(index), "if" | "while") && source.word(index + 1) == "(")?;
    let end = source.closing(at + 1)?;
    let condition = &source.text[source.span(at + 1..end + 1)];
    let form = [("(!", ")"), ("(0 && ", ")"), ("(1 || ", ")")][rng.usize(0..3)];
    Some((source.span(at + 1..end + 1), format!("{}{condition}{}", form.0, form.1)))
}

/// Words before parentheses that call nothing.
const NO_CALLS: [&str; 9] = ["if", "while", "for", "switch", "return", "sizeof", "defined", "else", "do"];

fn is_call(source: &Source<'_>, index: usize) -> bool {
    source.tokens[index].kind == Kind::Word && source.word(index + 1) == "(" && !NO_CALLS.contains(&source.word(index))
}

fn call_dropped(source: &Source<'_>, item: &Item, rng: &mut Rng) -> Option<Edit> {
    let statement = |index: usize| matches!(source.before(index), ";" | "{" | "}" | ")" | "else");
    let ends = |index: usize| source.closing(index + 1).filter(|end| source.word(end + 1) == ";");
    let at = inside(item, rng, |index| is_call(source, index) && statement(index) && ends(index).is_some())?;
    Some((source.span(at..ends(at)? + 1), String::new()))
}

/// Calls something else that this file calls or defines.
fn call_of_another(source: &Source<'_>, item: &Item, rng: &mut Rng) -> Option<Edit> {
    let at = inside(item, rng, |index| is_call(source, index))?;
    let all: BTreeSet<&str> =
        (0..source.tokens.len()).filter(|index| is_call(source, *index)).map(|index| source.word(index)).collect();
    let other = pick(rng, all.into_iter().filter(|name| *name != source.word(at)).collect())?;
    Some((source.tokens[at].at.clone(), other.to_owned()))
}

/// Puts a number, or another argument, where an argument stands.
fn argument(source: &Source<'_>, item: &Item, rng: &mut Rng) -> Option<Edit> {
    let at = inside(item, rng, |index| is_call(source, index) && source.word(index + 2) != ")")?;
    let end = source.closing(at + 1)?;
    let mut arguments = Vec::new();
    let (mut begin, mut index) = (at + 2, at + 2);
    while index <= end {
        if index == end || source.word(index) == "," {
            arguments.extend((begin < index).then(|| source.span(begin..index)));
            begin = index + 1;
        }
        index = if index < end {
            source.closing(index).filter(|close| *close > index).unwrap_or(index) + 1
        } else {
            end + 1
        };
    }
    let place = pick(rng, arguments.clone())?;
    let others: Vec<_> = arguments.into_iter().filter(|other| *other != place).collect();
    let new = match pick(rng, others) {
        Some(other) if rng.bool() => source.text[other].to_owned(),
        _ => rng.u8(0..4).to_string(),
    };
    Some((place, new))
}

/// Another member that this file uses.
fn member(source: &Source<'_>, item: &Item, rng: &mut Rng) -> Option<Edit> {
    let is_member = |index: &usize| {
        *index > 0 && source.tokens[*index].kind == Kind::Word && matches!(source.before(*index), "->" | ".")
    };
    let at = inside(item, rng, |index| is_member(&index))?;
    let all: BTreeSet<&str> = (0..source.tokens.len()).filter(is_member).map(|index| source.word(index)).collect();
    let other = pick(rng, all.into_iter().filter(|name| *name != source.word(at)).collect())?;
    Some((source.tokens[at].at.clone(), other.to_owned()))
}

/// Types that may stand for each other.
const TYPES: [&[&str]; 6] = [
    &["int", "long", "short", "unsigned"],
    &["char", "short", "int"],
    &["uint8_t", "uint16_t", "uint32_t", "uint64_t", "int32_t"],
    &["int8_t", "int16_t", "int32_t", "int64_t", "uint32_t"],
    &["size_t", "unsigned", "ssize_t"],
    &["float", "double"],
];

fn type_width(source: &Source<'_>, item: &Item, rng: &mut Rng) -> Option<Edit> {
    let alike = |index: usize| TYPES.iter().find(|alike| alike.contains(&source.word(index)));
    let at = pick(rng, item.tokens.clone().filter(|index| alike(*index).is_some()).collect())?;
    let others = alike(at)?.iter().filter(|other| **other != source.word(at)).collect();
    Some((source.tokens[at].at.clone(), (*pick(rng, others)?).to_owned()))
}

/// Drops or adds what is said of a definition before its type.
fn qualifier(source: &Source<'_>, item: &Item, rng: &mut Rng) -> Option<Edit> {
    let words = ["const", "static", "volatile", "inline", "unsigned"];
    let at = pick(rng, item.tokens.clone().filter(|index| words.contains(&source.word(*index))).collect())?;
    Some((source.tokens[at].at.clone(), String::new()))
}

#[cfg(test)]
mod tests {
    use super::super::lex;
    use super::*;

    const TEXT: &str = "static const int table[2] = { 1, 'a' };\nint g(struct s *s, unsigned long a, char b)\n{\n  \
        if (a == 1 && s->m < s->n) {\n    f(s,\n      \"text\");\n  }\n  return h(a, b) + table[0];\n}\n";

    #[test]
    fn every_change_changes_the_text_and_keeps_its_lines() {
        let tokens = lex::tokens(TEXT);
        let items = lex::items(TEXT, &tokens);
        let source = Source { text: TEXT, tokens: &tokens, items: &items };
        for (name, _, change) in CHANGES {
            let changed = |seed| {
                let mut rng = Rng::with_seed(seed);
                let item = &items[rng.usize(0..items.len())];
                change(&source, item, &mut rng).is_some_and(|(at, new)| TEXT[at] != new)
            };
            assert!((0..50).any(changed), "`{name}` never changes anything");
        }
        for seed in 0..200 {
            let (name, (at, new)) = change(&source, &mut Rng::with_seed(seed)).expect("there is enough to change");
            assert_eq!(TEXT[at].matches('\n').count(), new.matches('\n').count(), "{name}");
        }
    }
}
