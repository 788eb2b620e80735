//! Enough of C's tokens to change csmith's output, which is regular: no comments inside functions, no macros.
use std::ops::Range;

/// Kinds of tokens a mutation looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name or keyword.
    Word,
    /// An integer constant with its suffix.
    Number,
    /// An operator or bracket.
    Punctuation,
    /// A string.
    Text,
}

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its kind.
    pub kind: Kind,
    /// Its bytes in the text.
    pub at: Range<usize>,
}

const LONG: [&str; 21] = [
    "<<=", ">>=", "...", "->", "++", "--", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "+=", "-=", "*=", "&=",
    "|=", "^=", "%=",
];

/// The tokens of `text`, blanks left out.
pub fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let (kind, length) = match rest[0] {
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'"' => (Kind::Text, 2 + rest[1..].iter().position(|b| *b == b'"').unwrap_or(rest.len() - 2)),
            byte if byte.is_ascii_digit() => (Kind::Number, rest.iter().take_while(|b| word(b)).count()),
            byte if word(&byte) => (Kind::Word, rest.iter().take_while(|b| word(b)).count()),
            _ => {
                let long = LONG.iter().find(|long| rest.starts_with(long.as_bytes()));
                (
                    Kind::Punctuation,
                    long.map_or_else(|| text[at..].chars().next().map_or(1, char::len_utf8), |l| l.len()),
                )
            }
        };
        found.push(Token { kind, at: at..at + length });
        at += length;
    }
    found
}

/// Where each call of `function` stands in `text`: the whole call, and the inside of its parentheses.
pub fn calls(text: &str, function: &str) -> Vec<(Range<usize>, Range<usize>)> {
    let tokens = tokens(text);
    let is = |token: &Token, what: &str| &text[token.at.clone()] == what;
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if !is(token, function) || !tokens.get(index + 1).is_some_and(|next| is(next, "(")) {
            continue;
        }
        let mut depth = 0;
        for close in &tokens[index + 1..] {
            depth += match &text[close.at.clone()] {
                "(" => 1,
                ")" => -1,
                _ => 0,
            };
            if depth == 0 {
                found.push((token.at.start..close.at.end, tokens[index + 1].at.end..close.at.start));
                break;
            }
        }
    }
    found
}

/// The arguments in the inside of a call's parentheses.
pub fn arguments(inside: &str) -> Vec<String> {
    let mut depth = 0;
    let mut parts = vec![String::new()];
    for letter in inside.chars() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if letter == ',' && depth == 0 {
            parts.push(String::new());
        } else {
            parts.last_mut().expect("never empty").push(letter);
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_operator_is_taken() {
        let text = "l_9 ^= (0x1FUL <<= g_2--);";
        let words: Vec<_> = tokens(text).into_iter().map(|token| &text[token.at]).collect();
        assert_eq!(words, ["l_9", "^=", "(", "0x1FUL", "<<=", "g_2", "--", ")", ";"]);
    }

    #[test]
    fn calls_within_calls_are_found() {
        let text = "x = func_3(func_3(1, (2 , 3)), g_func_3(4));";
        let found: Vec<_> = calls(text, "func_3").into_iter().map(|(_, inside)| &text[inside]).collect();
        assert_eq!(found, ["func_3(1, (2 , 3)), g_func_3(4)", "1, (2 , 3)"]);
        assert_eq!(arguments(found[0]), ["func_3(1, (2 , 3))", "g_func_3(4)"]);
        assert_eq!(arguments(""), Vec::<String>::new());
    }
}
