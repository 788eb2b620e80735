//! Tells the user's log, and standard error if asked to, what is not instrumented and why. Says nothing otherwise:
//! configure checks read standard error.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use super::Language;
use super::error::Error;
use super::facts::Clang;
use super::plan::Reason;
use super::settings::Settings;

/// Where to tell it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report<'a> {
    /// Which wrapper speaks.
    pub(crate) language: Language,
    /// Log and verbosity.
    pub(crate) settings: &'a Settings,
    /// Working directory.
    pub(crate) directory: &'a Path,
}

impl Report<'_> {
    /// Tells why something is left as it is.
    ///
    /// # Errors
    /// When the log the user named cannot be written.
    pub(crate) fn reasons(&self, reasons: &[Reason], typed: &[OsString]) -> Result<(), Error> {
        let name = self.language.wrapper();
        if self.settings.verbose {
            reasons.iter().for_each(|reason| say(&format!("{name}: note: {reason}")));
        }
        let Some(log) = self.settings.log.as_deref().filter(|_| !reasons.is_empty()) else { return Ok(()) };
        let directory = self.directory.display();
        let command = quoted(typed.iter());
        let lines: String =
            reasons.iter().map(|reason| format!("{name}: {reason} [in `{directory}`: {name} {command}]\n")).collect();
        // One write in append mode: the lines of parallel compilers do not mix.
        let file = OpenOptions::new().append(true).create(true).open(log);
        file.and_then(|mut file| file.write_all(lines.as_bytes()))
            .map_err(|reason| Error::CannotLog { log: log.to_path_buf(), reason })
    }

    /// Tells which command runs.
    pub(crate) fn command(&self, clang: &Clang, arguments: &[OsString]) {
        if self.settings.verbose {
            let words = quoted(clang.mode.iter().chain(arguments));
            say(&format!("{}: runs: {} {words}", self.language.wrapper(), clang.program.display()));
        }
    }
}

/// A line on standard error; where that cannot be written, there is nobody to tell.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Words as one would type them into a shell.
fn quoted<'a>(words: impl Iterator<Item = &'a OsString>) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-+=./,:@%*".contains(c);
    let quote = |word: &OsString| {
        let word = word.to_string_lossy();
        match !word.is_empty() && word.chars().all(plain) {
            true => word.into_owned(),
            false => format!("'{}'", word.replace('\'', r"'\''")),
        }
    };
    words.map(quote).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        let words = ["-DX=\"a b\"", "it's", "", "plain.c"].map(OsString::from);
        assert_eq!(quoted(words.iter()), r#"'-DX="a b"' 'it'\''s' '' plain.c"#);
    }
}
