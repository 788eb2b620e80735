//! Instructions, a line each.

use super::header::{closing, split_commas};
use super::lex::{Kind, Token, tokens};

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

    fn of(text: &'a str) -> Self {
        let tokens: Vec<Token<'a>> = tokens(text).collect();
        let assigned =
            tokens.first().is_some_and(|t| t.kind == Kind::Local) && tokens.get(1).is_some_and(|t| t.is("="));
        let result = tokens.first().filter(|_| assigned).map(|t| t.text);
        let mut at = if assigned { 2 } else { 0 };
        while tokens.get(at).is_some_and(|t| matches!(t.text, "tail" | "musttail" | "notail")) {
            at += 1;
        }
        Self { text, tokens, result, at }
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
        let callee = |w: &[Token<'_>]| matches!(w[0].kind, Kind::Global | Kind::Local | Kind::Text) && w[1].is("(");
        Some(self.at + self.tokens.get(self.at..)?.windows(2).position(callee)?)
    }

    /// The name called, when it is called by name, and the arguments.
    pub fn call(&self) -> Option<(Option<&'a str>, Vec<&'a str>)> {
        let at = self.callee()?;
        let close = closing(&self.tokens, at + 1)?;
        let inside = self.text.get(self.tokens[at + 1].end()..self.tokens[close].at)?;
        let name = (self.tokens[at].kind == Kind::Global).then(|| self.tokens[at].name());
        Some((name, split_commas(inside)))
    }
}

/// The last value in an operand: `%x`, `@y`, `null`.
pub fn value(operand: &str) -> &str {
    tokens(operand).filter(|t| t.kind != Kind::Punct).last().map_or("", |t| t.text)
}
