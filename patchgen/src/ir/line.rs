//! Instructions, a line each, and what they do with an address.

use std::collections::BTreeSet;

use super::header::{closing, split_commas};
use super::lex::{Token, TokenKind, tokens};

/// An instruction.
#[derive(Debug)]
pub struct Line<'a> {
    /// All of it.
    pub text: &'a str,
    /// Its tokens.
    pub tokens: Vec<Token<'a>>,
    /// The value it defines, with its sigil.
    pub result: Option<&'a str>,
    /// Index of the opcode.
    at: usize,
}

impl<'a> Line<'a> {
    /// The instructions of a function's body; debug records are none.
    pub fn all(body: &'a str) -> Vec<Self> {
        body.lines().filter(|line| !line.trim_start().starts_with("#dbg_")).map(Self::of).collect()
    }

    /// One of them.
    pub fn of(text: &'a str) -> Self {
        let tokens: Vec<Token<'a>> = tokens(text).collect();
        let assigned =
            tokens.first().is_some_and(|t| t.kind == TokenKind::Local) && tokens.get(1).is_some_and(|t| t.is("="));
        let result = tokens.first().filter(|_| assigned).map(|t| t.text);
        let mut at = if assigned { 2 } else { 0 };
        while tokens.get(at).is_some_and(|t| matches!(t.text, "tail" | "musttail" | "notail")) {
            at += 1;
        }
        Self { text, tokens, result, at }
    }

    /// Its tokens without the result.
    pub fn words(&self) -> &[Token<'a>] {
        self.tokens.get(if self.result.is_some() { 2 } else { 0 }..).unwrap_or_default()
    }

    /// What it does.
    pub fn opcode(&self) -> &'a str {
        self.tokens.get(self.at).map_or("", |t| t.text)
    }

    /// Operands, as text, split at commas.
    pub fn operands(&self) -> Vec<&'a str> {
        let from = self.tokens.get(self.at).map_or(self.text.len(), Token::end);
        split_commas(self.text.get(from..).unwrap_or_default())
    }

    /// What it calls, as an index of its tokens: a name, a value, or assembly.
    pub fn callee(&self) -> Option<usize> {
        if !matches!(self.opcode(), "call" | "invoke" | "callbr") {
            return None;
        }
        let callee = |w: &[Token<'_>]| {
            matches!(w[0].kind, TokenKind::Global | TokenKind::Local | TokenKind::Text) && w[1].is("(")
        };
        Some(self.at + self.tokens.get(self.at..)?.windows(2).position(callee)?)
    }

    /// The name called, when it is called by name, and the arguments.
    pub fn call(&self) -> Option<(Option<&'a str>, Vec<&'a str>)> {
        let at = self.callee()?;
        let close = closing(&self.tokens, at + 1)?;
        let inside = self.text.get(self.tokens[at + 1].end()..self.tokens[close].at)?;
        let name = (self.tokens[at].kind == TokenKind::Global).then(|| self.tokens[at].name());
        Some((name, split_commas(inside)))
    }
}

/// The last value in an operand: `%x`, `@y`, `null`.
pub fn value(operand: &str) -> &str {
    tokens(operand).filter(|t| t.kind != TokenKind::Punct).last().map_or("", |t| t.text)
}

/// What comes of an address by an instruction that uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressUse {
    /// Nothing.
    NotCaptured,
    /// The result is, or contains, the address.
    Derived,
    /// It can be anywhere.
    Escapes,
}

/// Whether `address` stays in a function's body: `judge` is asked about each instruction that uses it, or what comes of it, and
/// told which of its tokens those are.
pub fn never_escapes<'a>(
    body: &'a str,
    address: &'a str,
    judge: impl Fn(&Line<'a>, &dyn Fn(&Token<'_>) -> bool) -> AddressUse,
) -> bool {
    let lines = Line::all(body);
    let mut known: BTreeSet<&str> = BTreeSet::from([address]);
    loop {
        let before = known.len();
        for line in &lines {
            let used = |t: &Token<'_>| matches!(t.kind, TokenKind::Global | TokenKind::Local) && known.contains(t.text);
            if !line.words().iter().any(used) {
                continue;
            }
            match judge(line, &used) {
                AddressUse::NotCaptured => {}
                AddressUse::Derived => known.extend(line.result),
                AddressUse::Escapes => return false,
            }
        }
        if known.len() == before {
            return true;
        }
    }
}
