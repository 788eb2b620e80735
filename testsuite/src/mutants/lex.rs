//! The tokens of real C, comments and preprocessor lines included, and the definitions of a file.
use std::ops::Range;

/// Kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name or keyword.
    Word,
    /// A number with its suffix.
    Number,
    /// A string.
    Text,
    /// A character constant.
    Letter,
    /// An operator or bracket.
    Punctuation,
    /// A preprocessor line with what continues it.
    Directive,
}

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its kind.
    pub kind: Kind,
    /// Its bytes in the text.
    pub at: Range<usize>,
}

/// A definition or declaration of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its tokens.
    pub tokens: Range<usize>,
    /// Its bytes in the text.
    pub at: Range<usize>,
    /// A function with a body, rather than a declaration, type or variable.
    pub function: bool,
    /// First token after the opening brace of a function's body or after the `=` of an initialiser; else its first one.
    pub inside: usize,
}

const LONG: [&str; 22] = [
    "<<=", ">>=", "...", "->", "++", "--", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "+=", "-=", "*=", "/=",
    "&=", "|=", "^=", "%=",
];

/// The tokens of `text`; blanks and comments are left out.
pub fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut found: Vec<Token> = Vec::new();
    let mut at = 0;
    let mut line_begins = true;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest[0].is_ascii_whitespace() {
            line_begins |= rest[0] == b'\n';
            at += 1;
            continue;
        }
        if let Some(length) = comment(rest) {
            at += length;
            continue;
        }
        let (kind, length) = token(rest, line_begins);
        line_begins = false;
        found.push(Token { kind, at: at..at + length });
        at += length;
    }
    found
}

/// Length of the comment that `rest` begins with.
fn comment(rest: &[u8]) -> Option<usize> {
    if rest.starts_with(b"//") {
        return Some(rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()));
    }
    let inside = rest.strip_prefix(b"/*")?;
    Some(inside.windows(2).position(|two| two == b"*/").map_or(rest.len(), |end| end + 4))
}

fn token(rest: &[u8], line_begins: bool) -> (Kind, usize) {
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    match rest[0] {
        b'#' if line_begins => (Kind::Directive, directive(rest)),
        quote @ (b'"' | b'\'') => (if quote == b'"' { Kind::Text } else { Kind::Letter }, quoted(rest, quote)),
        b'.' if rest.get(1).is_some_and(u8::is_ascii_digit) => (Kind::Number, number(rest)),
        byte if byte.is_ascii_digit() => (Kind::Number, number(rest)),
        byte if word(&byte) => (Kind::Word, rest.iter().take_while(|byte| word(byte)).count()),
        byte if byte.is_ascii() => {
            let long = LONG.iter().find(|long| rest.starts_with(long.as_bytes()));
            (Kind::Punctuation, long.map_or(1, |long| long.len()))
        }
        // Letters of other alphabets: never a place to change.
        _ => (Kind::Word, rest.iter().take_while(|byte| !byte.is_ascii()).count()),
    }
}

/// Up to the end of the line that no backslash and no comment continues.
fn directive(rest: &[u8]) -> usize {
    let mut at = 0;
    while at < rest.len() {
        match rest[at] {
            b'\n' => return at,
            b'\\' => at += 2,
            _ => at += comment(&rest[at..]).unwrap_or(1),
        }
    }
    rest.len()
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote && rest[at] != b'\n' {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

fn number(rest: &[u8]) -> usize {
    let mut at = 0;
    while let Some(byte) = rest.get(at) {
        let sign = matches!(byte, b'+' | b'-') && at > 0 && matches!(rest[at - 1], b'e' | b'E' | b'p' | b'P');
        let hexadecimal = rest.len() > 1 && matches!(rest[1], b'x' | b'X');
        let exponent = sign && !(hexadecimal && matches!(rest[at - 1], b'e' | b'E'));
        if !(byte.is_ascii_alphanumeric() || *byte == b'.' || *byte == b'_' || exponent) {
            break;
        }
        at += 1;
    }
    at
}

/// The definitions and declarations of a file. Where conditional compilation unbalances the braces, a brace in the first
/// column ends a definition.
pub fn items(text: &str, tokens: &[Token]) -> Vec<Item> {
    let mut items = Vec::new();
    let (mut begin, mut depth) = (None, 0_i32);
    for (index, token) in tokens.iter().enumerate() {
        if token.kind == Kind::Directive {
            continue;
        }
        let first = *begin.get_or_insert(index);
        let word = &text[token.at.clone()];
        let first_column = token.at.start == 0 || text.as_bytes()[token.at.start - 1] == b'\n';
        match word {
            "(" | "[" | "{" => depth += 1,
            "}" if first_column => depth = 0,
            ")" | "]" | "}" => depth = (depth - 1).max(0),
            _ => {}
        }
        let ends = match word {
            ";" => depth == 0,
            "}" => depth == 0 && body_of(text, tokens, first..index).is_some(),
            _ => false,
        };
        if ends {
            items.push(item(text, tokens, first..index + 1));
            begin = None;
        }
    }
    items
}

fn item(text: &str, tokens: &[Token], range: Range<usize>) -> Item {
    let body = body_of(text, tokens, range.clone());
    let initialiser = || top_level(text, tokens, range.clone()).find(|(_, word)| *word == "=").map(|(index, _)| index);
    Item {
        at: tokens[range.start].at.start..tokens[range.end - 1].at.end,
        function: body.is_some(),
        inside: body.or_else(initialiser).map_or(range.start, |index| index + 1),
        tokens: range,
    }
}

/// The tokens outside of all brackets, an opening one included.
fn top_level<'t>(text: &'t str, tokens: &'t [Token], range: Range<usize>) -> impl Iterator<Item = (usize, &'t str)> {
    let mut depth = 0_i32;
    let words = range.filter(|index| tokens[*index].kind != Kind::Directive);
    words.map(|index| (index, &text[tokens[index].at.clone()])).filter(move |(_, word)| {
        let outside = depth == 0;
        match *word {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        outside
    })
}

/// The opening brace of a function's body: the first one outside of all brackets, behind parentheses and no `=`.
fn body_of(text: &str, tokens: &[Token], range: Range<usize>) -> Option<usize> {
    let mut parentheses = false;
    for (index, word) in top_level(text, tokens, range) {
        match word {
            "=" | "typedef" => return None,
            "(" => parentheses = true,
            "{" => return Some(index).filter(|_| parentheses),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        tokens(text).into_iter().map(|token| &text[token.at]).collect()
    }

    #[test]
    fn comments_are_left_out_and_preprocessor_lines_are_whole() {
        let text = "#define A /* 1\n */ 2 \\\n 3\na /* ; */ -= 0x1eU+1e-3 // x\n; '\\'' \"\\\"a\"";
        let expected = ["#define A /* 1\n */ 2 \\\n 3", "a", "-=", "0x1eU", "+", "1e-3", ";", "'\\''", "\"\\\"a\""];
        assert_eq!(words(text), expected);
    }

    #[test]
    fn definitions_are_told_apart() {
        let text = "typedef struct { int a; } T;\nstatic int x[] = { 1, 2 };\nint f(int a);\n\
            static T *g(int (*h)(void))\n{\n if (a) { b; }\n}\nstruct s { int a; };\n";
        let tokens = tokens(text);
        let items = items(text, &tokens);
        let functions: Vec<bool> = items.iter().map(|item| item.function).collect();
        assert_eq!(functions, [false, false, false, true, false]);
        assert_eq!(&text[tokens[items[1].inside].at.clone()], "{");
        assert_eq!(&text[tokens[items[3].inside].at.clone()], "if");
    }

    #[test]
    fn a_brace_in_the_first_column_ends_a_definition() {
        let text = "int f(void)\n{\n#if A\n if (a) {\n#else\n if (b) {\n#endif\n }\n}\nint g;\n";
        let tokens = tokens(text);
        assert_eq!(items(text, &tokens).len(), 2);
    }
}
