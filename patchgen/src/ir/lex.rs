//! Tokens of LLVM's printed text.

/// What a token is; `text` keeps the sigil and the quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// `@name`: a function, variable or alias.
    Global,
    /// `%name`: a value, a block or a named type.
    Local,
    /// `#3`: an attribute group.
    Attributes,
    /// `!7`, `!tbaa`, `!DILocation`, `!"text"`.
    Meta,
    /// `$name`.
    Comdat,
    /// `"text"` or `c"text"`.
    Text,
    /// `name:` at the start of a line, without the colon.
    Label,
    /// Keywords, types, numbers.
    Word,
    /// One character of punctuation.
    Punct,
    /// End of a line.
    Newline,
}

/// One token, a slice of the text it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// Its characters.
    pub text: &'a str,
    /// Where it starts.
    pub at: usize,
}

impl<'a> Token<'a> {
    /// Is it this keyword or punctuation?
    pub fn is(&self, text: &str) -> bool {
        matches!(self.kind, TokenKind::Word | TokenKind::Punct) && self.text == text
    }

    /// The name behind the sigil, quotes kept: as LLVM prints it, so that it can be printed back.
    pub fn name(&self) -> &'a str {
        self.text.get(1..).unwrap_or_default()
    }

    /// Where it ends.
    pub fn end(&self) -> usize {
        self.at + self.text.len()
    }
}

/// Splits text into tokens; comments and blanks are dropped.
#[derive(Debug, Clone)]
pub struct Lexer<'a> {
    text: &'a str,
    at: usize,
    line_start: bool,
}

/// The tokens of `text`.
pub fn tokens(text: &str) -> Lexer<'_> {
    Lexer { text, at: 0, line_start: true }
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'$' | b'+')
}

impl<'a> Lexer<'a> {
    fn peek(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    /// End of a quoted string whose opening quote is at `open`. LLVM prints a quote inside as `\22`.
    fn quoted_end(&self, open: usize) -> usize {
        let inside = self.text.as_bytes().get(open + 1..).unwrap_or_default();
        inside.iter().position(|&b| b == b'"').map_or(self.text.len(), |n| open + n + 2)
    }

    fn word_end(&self, from: usize) -> usize {
        let tail = self.text.as_bytes().get(from..).unwrap_or_default();
        tail.iter().position(|&b| !is_word(b)).map_or(self.text.len(), |n| from + n)
    }

    fn name_end(&self, from: usize) -> usize {
        if self.text.as_bytes().get(from) == Some(&b'"') { self.quoted_end(from) } else { self.word_end(from) }
    }

    fn token(&mut self, kind: TokenKind, end: usize) -> Option<Token<'a>> {
        let at = self.at;
        self.at = end;
        Some(Token { kind, text: self.text.get(at..end)?, at })
    }

    fn label(&mut self) -> Option<Token<'a>> {
        let first = self.peek(0);
        if !(is_word(first) || first == b'"') {
            return None;
        }
        let end = self.name_end(self.at);
        if self.text.as_bytes().get(end) != Some(&b':') {
            return None;
        }
        let token = self.token(TokenKind::Label, end);
        self.at = end + 1;
        token
    }

    fn skip_blanks(&mut self) {
        loop {
            match self.peek(0) {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b';' => {
                    let tail = self.text.as_bytes().get(self.at..).unwrap_or_default();
                    self.at += tail.iter().position(|&b| b == b'\n').unwrap_or(tail.len());
                }
                _ => return,
            }
        }
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if std::mem::take(&mut self.line_start)
            && let Some(label) = self.label()
        {
            return Some(label);
        }
        self.skip_blanks();
        if self.at >= self.text.len() {
            return None;
        }
        let (first, second) = (self.peek(0), self.peek(1));
        let sigil = |ok: bool, kind| ok.then_some(kind);
        let kind = match first {
            b'\n' => {
                self.line_start = true;
                return self.token(TokenKind::Newline, self.at + 1);
            }
            b'@' => Some(TokenKind::Global),
            b'%' => Some(TokenKind::Local),
            b'$' => Some(TokenKind::Comdat),
            b'#' => sigil(second.is_ascii_digit(), TokenKind::Attributes),
            b'!' => sigil(is_word(second) || second == b'"', TokenKind::Meta),
            _ => None,
        };
        if let Some(kind) = kind {
            return self.token(kind, self.name_end(self.at + 1));
        }
        if first == b'"' {
            return self.token(TokenKind::Text, self.quoted_end(self.at));
        }
        if first == b'c' && second == b'"' {
            return self.token(TokenKind::Text, self.quoted_end(self.at + 1));
        }
        if is_word(first) {
            return self.token(TokenKind::Word, self.word_end(self.at));
        }
        let width = self.text.get(self.at..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8);
        self.token(TokenKind::Punct, self.at + width)
    }
}

/// A printed name as the bytes it stands for: without quotes, `\xx` resolved.
pub fn unescape(printed: &str) -> String {
    let Some(inside) = printed.strip_prefix('"').and_then(|p| p.strip_suffix('"')) else {
        return printed.to_owned();
    };
    let mut out = Vec::with_capacity(inside.len());
    let mut rest = inside.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        match hex {
            Some(byte) if first == b'\\' => {
                out.push(byte);
                rest = &tail[2..];
            }
            _ => {
                out.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A name as LLVM prints it behind `@`.
pub fn escape(name: &str) -> String {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'$'))
        && !name.bytes().next().is_some_and(|b| b.is_ascii_digit());
    if plain && !name.is_empty() {
        return name.to_owned();
    }
    let mut out = String::from("\"");
    for b in name.bytes() {
        if (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\' {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("\\{b:02X}"));
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(TokenKind, &str)> {
        tokens(text).map(|t| (t.kind, t.text)).collect()
    }

    #[test]
    fn an_instruction_splits_at_its_sigils() {
        let line = "  %2 = call i32 @\"a b\"(ptr @.str, i64 -1) #5, !tbaa !7 ; note";
        let found = kinds(line);
        assert!(found.contains(&(TokenKind::Global, "@\"a b\"")));
        assert!(found.contains(&(TokenKind::Global, "@.str")));
        assert!(found.contains(&(TokenKind::Word, "-1")));
        assert_eq!(found.last(), Some(&(TokenKind::Meta, "!7")));
    }

    #[test]
    fn labels_are_told_from_words() {
        assert_eq!(kinds("12:   ; preds = %1\n")[0], (TokenKind::Label, "12"));
        assert_eq!(kinds("  ret void\n")[0], (TokenKind::Word, "ret"));
    }

    #[test]
    fn strings_hide_what_looks_like_tokens() {
        assert_eq!(kinds(r#"c"; @x\22 %y\00""#), [(TokenKind::Text, r#"c"; @x\22 %y\00""#)]);
    }

    #[test]
    fn names_survive_escaping() {
        for name in ["plain", "\u{1}x", "with space", "q\"uote", "0digit"] {
            assert_eq!(unescape(&escape(name)), name);
        }
    }
}
