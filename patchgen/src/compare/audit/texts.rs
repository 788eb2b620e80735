//! Strings that differ in every build: the folder that it was compiled in, and the time.

use super::Subject;

/// What stands for a folder or a time, in strings that are compared.
const FOLDER: &str = "\u{1}";
const TIME: &str = "\u{2}";

/// What the strings of each build are freed from: longest first.
#[derive(Debug, Default)]
pub(super) struct Texts {
    old: Vec<(String, &'static str)>,
    new: Vec<(String, &'static str)>,
}

impl Texts {
    pub(super) fn new(subject: &Subject<'_>) -> Self {
        let mut out = Self::default();
        for pair in subject.pairs {
            let (Some(old), Some(new)) = (pair.old, pair.new) else { continue };
            let (old, new) = (&subject.old.units[old], &subject.new.units[new]);
            out.old.extend(old.build_timestamps.iter().map(|stamp| (stamp.clone(), TIME)));
            out.new.extend(new.build_timestamps.iter().map(|stamp| (stamp.clone(), TIME)));
            let (before, after) = differing_parts(&old.directory, &new.directory);
            if !before.is_empty() && !after.is_empty() {
                out.old.push((before.to_owned(), FOLDER));
                out.new.push((after.to_owned(), FOLDER));
            }
        }
        for list in [&mut out.old, &mut out.new] {
            list.retain(|(text, _)| !text.is_empty());
            list.sort_by_key(|(text, _)| (std::cmp::Reverse(text.len()), text.clone()));
            list.dedup();
        }
        out
    }

    /// Do two strings, up to their ends, say the same but for folder and time?
    pub(super) fn are_same(&self, old: &[u8], new: &[u8]) -> bool {
        if let (Some(old), Some(new)) = (place_of_region(old), place_of_region(new)) {
            return old == new;
        }
        if self.old.is_empty() || self.new.is_empty() {
            return false;
        }
        let plain = |text: &[u8], list: &[(String, &'static str)]| {
            let text = String::from_utf8(text.to_vec()).ok()?;
            Some(list.iter().fold(text, |text, (what, by)| text.replace(what.as_str(), by)))
        };
        plain(old, &self.old).is_some_and(|old| plain(new, &self.new).is_some_and(|new| old == new))
    }
}

/// What clang tells OpenMP's library of a region, `;FILE;FUNCTION;LINE;COLUMN;;`, without line and column.
fn place_of_region(text: &[u8]) -> Option<Vec<&[u8]>> {
    let text = text.strip_suffix(b"\0").unwrap_or(text);
    let parts: Vec<&[u8]> = text.strip_prefix(b";")?.strip_suffix(b";;")?.split(|byte| *byte == b';').collect();
    let is_number = |part: &&[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    match parts.as_slice() {
        [file, function, line, column] if is_number(line) && is_number(column) => Some(vec![file, function]),
        _ => None,
    }
}

/// Two folders without the parts at their ends that they share.
fn differing_parts<'t>(mut old: &'t str, mut new: &'t str) -> (&'t str, &'t str) {
    while old != new {
        match (old.rsplit_once('/'), new.rsplit_once('/')) {
            (Some((a, x)), Some((b, y))) if x == y => (old, new) = (a, b),
            _ => return (old, new),
        }
    }
    ("", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_times_are_no_difference() {
        let texts = Texts {
            old: vec![("10:20:30".into(), TIME), ("/tmp/a".into(), FOLDER)],
            new: vec![("10:20:31".into(), TIME), ("/tmp/other".into(), FOLDER)],
        };
        assert!(texts.are_same(b"/tmp/a/main.c at 10:20:30", b"/tmp/other/main.c at 10:20:31"));
        assert!(!texts.are_same(b"/tmp/a/main.c", b"/tmp/other/more.c"));
        assert_eq!(differing_parts("/a/src", "/b/c/src"), ("/a", "/b/c"));
        assert_eq!(differing_parts("/a", "/a"), ("", ""));
    }
}
