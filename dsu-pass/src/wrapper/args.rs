//! Splits a clang command line into typed arguments: which words belong together, and what they mean to us.
//!
//! Bias: a flag that is not in the table stands alone and means nothing, which is right for most of clang's 4,000.
//! The table must be complete only for flags that take the *next* word, or that word would be taken for an input.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::flags::FLAGS;
use super::meaning::{Flag, Means, Takes};

/// A flag with its value, or an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arg<'a> {
    /// What it means.
    pub(crate) means: Means,
    /// The value; an input's name. Empty for flags without one.
    pub(crate) value: &'a OsStr,
    /// The words it consists of, as typed.
    pub(crate) words: &'a [OsString],
}

/// The arguments of a command line without its first word. Response files must have been expanded.
pub(crate) fn parse(words: &[OsString]) -> Vec<Arg<'_>> {
    let mut out = Vec::new();
    let mut at = 0;
    let mut flags_over = false;
    while let Some(word) = words.get(at) {
        let (means, value, count) = if flags_over || !is_flag(word) {
            (Means::Input, word.as_os_str(), 1)
        } else if word == "--" {
            flags_over = true;
            (Means::EndOfFlags, OsStr::new(""), 1)
        } else {
            flag(word, words.get(at + 1))
        };
        out.push(Arg { means, value, words: &words[at..at + count] });
        at += count;
    }
    out
}

fn is_flag(word: &OsStr) -> bool {
    word.len() > 1 && word.as_bytes().starts_with(b"-")
}

/// Meaning, value and number of words of the flag that starts with `word`.
fn flag<'a>(word: &'a OsString, next: Option<&'a OsString>) -> (Means, &'a OsStr, usize) {
    let nothing = OsStr::new("");
    let Some(flag) = lookup(word.as_bytes()) else { return (Means::Other, nothing, 1) };
    let rest = OsStr::from_bytes(&word.as_bytes()[flag.name.len()..]);
    let wants_next = match flag.takes {
        Takes::Nothing | Takes::Rest => false,
        Takes::Next => true,
        Takes::RestOrNext => rest.is_empty(),
    };
    match (wants_next, next) {
        (false, _) => (flag.means, rest, 1),
        (true, Some(value)) => (flag.means, value, 2),
        // The value is missing: clang says so.
        (true, None) => (flag.means, nothing, 1),
    }
}

/// The longest entry of the table that fits `word`.
fn lookup(word: &[u8]) -> Option<&'static Flag> {
    (1..=word.len()).rev().find_map(|len| {
        let found = FLAGS.binary_search_by(|flag| flag.name.as_bytes().cmp(&word[..len])).ok()?;
        let flag = &FLAGS[found];
        let whole = len == word.len();
        (whole || matches!(flag.takes, Takes::Rest | Takes::RestOrNext)).then_some(flag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wrapper::meaning::Stage;

    fn split(line: &str) -> Vec<(Means, String, usize)> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        parse(&words).iter().map(|a| (a.means, a.value.to_string_lossy().into_owned(), a.words.len())).collect()
    }

    fn one(line: &str) -> (Means, String, usize) {
        let all = split(line);
        assert_eq!(all.len(), 1, "`{line}` gave {all:?}");
        all.into_iter().next().expect("checked above")
    }

    #[test]
    fn the_table_is_sorted_and_has_no_duplicates() {
        for pair in FLAGS.windows(2) {
            assert!(pair[0].name < pair[1].name, "`{}` must stand after `{}`", pair[0].name, pair[1].name);
        }
    }

    #[test]
    fn values_are_found_where_they_stand() {
        let cases = [
            ("-oa.out", Means::Output, "a.out", 1),
            ("-o a.out", Means::Output, "a.out", 2),
            ("--output=a.out", Means::Output, "a.out", 1),
            ("--output a.out", Means::Output, "a.out", 2),
            ("-xc", Means::Language, "c", 1),
            ("-x c", Means::Language, "c", 2),
            ("--language=c", Means::Language, "c", 1),
            ("-lm", Means::Library, "m", 1),
            ("-include x.h", Means::Other, "x.h", 2),
            ("-MF x.d", Means::Other, "x.d", 2),
            ("-MFx.d", Means::Other, "", 1),
            ("-Wl,-z,now", Means::LinkerList, "-z,now", 1),
            ("-Xlinker -s", Means::LinkerWord, "-s", 2),
            ("-O2", Means::Code, "2", 1),
            ("-mllvm -x", Means::Code, "-x", 2),
            ("-g", Means::Debug, "", 1),
            ("-gdwarf-4", Means::Debug, "dwarf-4", 1),
            ("-target x86_64-linux-gnu", Means::Target, "x86_64-linux-gnu", 2),
            ("-o", Means::Output, "", 1),
            ("-", Means::Input, "-", 1),
            ("a.c", Means::Input, "a.c", 1),
        ];
        for (line, means, value, words) in cases {
            assert_eq!(one(line), (means, value.into(), words), "`{line}`");
        }
    }

    #[test]
    fn the_longest_entry_wins_and_short_ones_match_only_whole() {
        assert_eq!(one("-MM").0, Means::Stop(Stage::Preprocess));
        assert_eq!(one("-MMD").0, Means::Other);
        assert_eq!(one("-cl-opt-disable").0, Means::Other);
        assert_eq!(one("-flto=thin").0, Means::Lto);
        assert_eq!(one("-fno-lto").0, Means::NoLto);
        assert_eq!(one("-fsyntax-only").0, Means::Stop(Stage::Check));
        assert_eq!(one("-fstack-protector-strong").0, Means::Code);
        assert_eq!(one("-m32").0, Means::Narrow);
        assert_eq!(one("-mno-red-zone").0, Means::Code);
        assert_eq!(one("-static-libgcc").0, Means::Other);
        assert_eq!(one("-nostdlib++").0, Means::Other);
    }

    #[test]
    fn after_two_dashes_everything_is_an_input() {
        let all = split("-c -- -o");
        assert_eq!(all[1].0, Means::EndOfFlags);
        assert_eq!(all[2], (Means::Input, "-o".into(), 1));
    }

    #[test]
    fn a_value_that_looks_like_a_flag_is_a_value() {
        assert_eq!(split("-o -c x.c").iter().map(|a| a.0).collect::<Vec<_>>(), [Means::Output, Means::Input]);
    }
}
