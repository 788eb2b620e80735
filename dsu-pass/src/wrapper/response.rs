//! Response files: `@FILE` among the arguments stands for the words in FILE, as clang reads them (GNU quoting).

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// Response files inside response files deeper than this are left to clang, which finds the cycle and names it.
const DEPTH: u32 = 20;

/// `words` with every `@FILE` replaced by the words in it. A file that `read` does not give stays as it is: clang
/// takes it for an input and says what is wrong with it.
pub(crate) fn expand(words: &[OsString], read: &dyn Fn(&Path) -> Option<Vec<u8>>) -> Vec<OsString> {
    let mut out = Vec::new();
    for word in words {
        expand_word(word, read, 0, &mut out);
    }
    out
}

fn expand_word(word: &OsStr, read: &dyn Fn(&Path) -> Option<Vec<u8>>, depth: u32, out: &mut Vec<OsString>) {
    let file = word.as_bytes().strip_prefix(b"@").filter(|file| !file.is_empty() && depth < DEPTH);
    match file.and_then(|file| read(Path::new(OsStr::from_bytes(file)))) {
        Some(text) => tokens(&text).iter().for_each(|inner| expand_word(inner, read, depth + 1, out)),
        None => out.push(word.to_owned()),
    }
}

/// Splits at blanks; a backslash takes the next character as it is, quotes of either kind hold blanks together.
fn tokens(text: &[u8]) -> Vec<OsString> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let (mut out, mut token, mut quote) = (Vec::new(), Vec::new(), None);
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, quote) {
            (b'\\', _) if bytes.peek().is_some() => token.extend(bytes.next()),
            (b'\'' | b'"', None) => quote = Some(byte),
            (_, Some(open)) if byte == open => quote = None,
            (b' ' | b'\t' | b'\r' | b'\n', None) => finish(&mut token, &mut out),
            _ => token.push(byte),
        }
    }
    finish(&mut token, &mut out);
    out
}

fn finish(token: &mut Vec<u8>, out: &mut Vec<OsString>) {
    // As in clang, an empty pair of quotes is no word.
    if !token.is_empty() {
        out.push(OsString::from_vec(std::mem::take(token)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        tokens(text.as_bytes()).into_iter().map(|t| t.into_string().expect("tests write UTF-8")).collect()
    }

    #[test]
    fn words_are_split_as_clang_splits_them() {
        let cases: [(&str, &[&str]); 8] = [
            ("", &[]),
            ("a.c  -o\tb\r\n", &["a.c", "-o", "b"]),
            (r#"-DX="a b" 'c d'"#, &["-DX=a b", "c d"]),
            (r"a\ b c\\d", &["a b", r"c\d"]),
            (r#""say \"hi\"""#, &[r#"say "hi""#]),
            ("'' \"\" x", &["x"]),
            (r"end\", &[r"end\"]),
            ("\u{feff}a.c", &["a.c"]),
        ];
        for (text, expected) in cases {
            assert_eq!(split(text), expected, "`{text}`");
        }
    }

    #[test]
    fn files_nest_and_missing_ones_stay() {
        let read = |path: &Path| match path.to_str() {
            Some("outer") => Some(b"-c @inner @absent".to_vec()),
            Some("inner") => Some(b"a.c".to_vec()),
            Some("loop") => Some(b"@loop".to_vec()),
            _ => None,
        };
        let expanded = |word: &str| expand(&[OsString::from(word)], &read);
        assert_eq!(expanded("@outer"), ["-c", "a.c", "@absent"]);
        assert_eq!(expanded("@loop"), ["@loop"]);
        assert_eq!(expanded("@"), ["@"]);
    }
}
