//! Assembly text. Only directives that LLVM's assembler and GNU as both know.

use std::fmt::Write;

use crate::llvm::{Linkage, Value};

/// Bytes on one line of assembly: few lines parse faster, endless ones trouble tools that show `-S` output.
const LINE: usize = 512;

/// A section under construction. `pushsection`, because the compiler goes on in the section it was in.
#[derive(Debug)]
pub(crate) struct Section {
    text: String,
}

impl Section {
    pub(crate) fn new(name: &str, flags: &str, kind: &str, align: u32) -> Self {
        Self { text: format!(".pushsection {name},\"{flags}\",@{kind}\n.balign {align}\n") }
    }

    pub(crate) fn u32(&mut self, values: &[u32]) {
        self.numbers(".long", values);
    }

    pub(crate) fn u64(&mut self, values: &[u64]) {
        self.numbers(".quad", values);
    }

    /// 8 bytes for the linker to fill in.
    pub(crate) fn address(&mut self, of: &str) {
        self.numbers(".quad", &[of]);
    }

    fn numbers(&mut self, directive: &str, values: &[impl ToString]) {
        let list = values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        self.push(format_args!("{directive} {list}\n"));
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        self.text.write_fmt(text).expect("writing to a string does not fail");
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.text.reserve(bytes.len() * 3);
        for line in bytes.chunks(LINE) {
            self.text.push_str(".ascii \"");
            for &byte in line {
                push_escaped(&mut self.text, byte);
            }
            self.text.push_str("\"\n");
        }
    }

    pub(crate) fn finish(mut self) -> String {
        self.text.push_str(".popsection\n");
        self.text
    }
}

/// Octal with all three digits: a digit that follows cannot be taken for one of them.
fn push_escaped(text: &mut String, byte: u8) {
    match byte {
        b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
        b' '..=b'~' => text.push(char::from(byte)),
        _ => {
            text.push('\\');
            text.extend([byte >> 6, byte >> 3 & 7, byte & 7].map(|digit| char::from(b'0' + digit)));
        }
    }
}

/// The symbol that a global value gets in assembly, quoted.
pub(crate) fn symbol(value: Value<'_>) -> String {
    let name = value.name();
    match name.strip_prefix('\x01') {
        Some(as_written) => quoted(as_written),
        None if value.linkage() == Linkage::Private => quoted(&format!(".L{name}")),
        None => quoted(&name),
    }
}

pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_a_spelling() {
        let mut section = Section::new(".x", "", "progbits", 8);
        section.bytes(b"a\"\\\x00\x07\xff7");
        section.u32(&[1, 2]);
        let expected =
            ".pushsection .x,\"\",@progbits\n.balign 8\n.ascii \"a\\\"\\\\\\000\\007\\3777\"\n.long 1,2\n.popsection\n";
        assert_eq!(section.finish(), expected);
    }
}
