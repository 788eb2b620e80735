//! The wrapper's own flags (`--dsu-…`) and environment (`DSU_…`); a flag wins over the environment.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use dsu_abi::stub::Dispatch;

use super::error::Error;

/// What the user asked of the wrapper itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// How calls reach the newest version.
    pub(crate) dispatch: Dispatch,
    /// Special-case list: what to leave alone.
    pub(crate) list: Option<PathBuf>,
    /// List of quiescence points.
    pub(crate) points: Option<PathBuf>,
    /// Whether the bodies of loops in which threads wait become functions.
    pub(crate) outline_loops: bool,
    /// File that is told what was skipped or passed through, and why.
    pub(crate) log: Option<PathBuf>,
    /// The same on standard error.
    pub(crate) verbose: bool,
    /// Show the help and do nothing.
    pub(crate) help: bool,
    /// Be plain clang.
    pub(crate) disabled: bool,
}

const PREFIX: &[u8] = b"--dsu-";

impl Settings {
    /// The settings of the environment, `variable` being the way to read one. Empty counts as unset. File names
    /// are relative to `directory`.
    ///
    /// # Errors
    /// When a variable has a value that is not known.
    pub(crate) fn from_environment(
        variable: &dyn Fn(&str) -> Option<OsString>,
        directory: &Path,
    ) -> Result<Self, Error> {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        let path = |name| variable(name).map(|file| directory.join(file));
        Ok(Self {
            dispatch: match variable("DSU_DISPATCH") {
                Some(value) => dispatch(&value, "DSU_DISPATCH")?,
                None => Dispatch::Armed,
            },
            list: path("DSU_LIST"),
            points: path("DSU_POINTS"),
            outline_loops: match variable("DSU_OUTLINE_LOOPS") {
                Some(value) => on(&value, "DSU_OUTLINE_LOOPS")?,
                None => true,
            },
            log: path("DSU_LOG"),
            verbose: false,
            help: false,
            disabled: variable("DSU_DISABLE").is_some_and(|value| value != "0"),
        })
    }

    /// Takes the wrapper's flags out of `words`; what is left is clang's.
    ///
    /// # Errors
    /// When a `--dsu-…` flag or its value is not known.
    pub(crate) fn take_flags(&mut self, words: Vec<OsString>, directory: &Path) -> Result<Vec<OsString>, Error> {
        let mut rest = Vec::with_capacity(words.len());
        for word in words {
            if is_own(&word) { self.set(&word, directory)? } else { rest.push(word) }
        }
        Ok(rest)
    }

    fn set(&mut self, word: &OsStr, directory: &Path) -> Result<(), Error> {
        let bytes = &word.as_bytes()[PREFIX.len()..];
        let (name, value) = match bytes.iter().position(|&b| b == b'=') {
            Some(at) => (&bytes[..at], Some(OsStr::from_bytes(&bytes[at + 1..]))),
            None => (bytes, None),
        };
        let file = |value: &OsStr| Some(directory.join(value));
        match (name, value.filter(|value| !value.is_empty())) {
            (b"dispatch", Some(value)) => self.dispatch = dispatch(value, "--dsu-dispatch")?,
            (b"list", Some(value)) => self.list = file(value),
            (b"points", Some(value)) => self.points = file(value),
            (b"outline-loops", Some(value)) => self.outline_loops = on(value, "--dsu-outline-loops")?,
            (b"log", Some(value)) => self.log = file(value),
            (b"verbose", None) => self.verbose = true,
            (b"help", None) => self.help = true,
            _ => return Err(Error::UnknownFlag(word.to_string_lossy().into_owned())),
        }
        Ok(())
    }
}

/// Whether a word is one of the wrapper's own flags.
pub(crate) fn is_own(word: &OsStr) -> bool {
    word.as_bytes().starts_with(PREFIX)
}

fn dispatch(value: &OsStr, origin: &'static str) -> Result<Dispatch, Error> {
    match value.to_str() {
        Some("armed") => Ok(Dispatch::Armed),
        Some("always") => Ok(Dispatch::Always),
        _ => Err(Error::UnknownDispatch { value: value.to_string_lossy().into_owned(), origin }),
    }
}

fn on(value: &OsStr, origin: &'static str) -> Result<bool, Error> {
    match value.to_str() {
        Some("on") => Ok(true),
        Some("off") => Ok(false),
        _ => Err(Error::NeitherOnNorOff { value: value.to_string_lossy().into_owned(), origin }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(environment: &[(&str, &str)], line: &str) -> Result<(Settings, Vec<OsString>), Error> {
        let variable = |name: &str| environment.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(*v));
        let mut settings = Settings::from_environment(&variable, Path::new("/dir"))?;
        let rest = settings.take_flags(line.split_whitespace().map(OsString::from).collect(), Path::new("/dir"))?;
        Ok((settings, rest))
    }

    #[test]
    fn a_flag_wins_over_the_environment() {
        let environment = [("DSU_DISPATCH", "always"), ("DSU_LIST", "e.list"), ("DSU_LOG", "/e.log")];
        let (got, rest) = settings(&environment, "-c --dsu-dispatch=armed a.c --dsu-list=f.list").expect("valid");
        assert_eq!(rest, ["-c", "a.c"]);
        assert_eq!(got.dispatch, Dispatch::Armed);
        assert_eq!(got.list.as_deref(), Some(Path::new("/dir/f.list")));
        assert_eq!(got.log.as_deref(), Some(Path::new("/e.log")));
    }

    #[test]
    fn empty_variables_are_unset() {
        let (got, _) = settings(&[("DSU_DISPATCH", ""), ("DSU_LOG", ""), ("DSU_DISABLE", "0")], "").expect("valid");
        assert_eq!((got.dispatch, got.log, got.disabled), (Dispatch::Armed, None, false));
        assert!(settings(&[("DSU_DISABLE", "1")], "").expect("valid").0.disabled);
    }

    #[test]
    fn what_is_not_known_is_named_with_the_way_out() {
        for (environment, line, named) in [
            (&[("DSU_DISPATCH", "fast")][..], "", "`fast`"),
            (&[], "--dsu-dispatch=fast", "`--dsu-dispatch`"),
            (&[], "--dsu-outline-loops=maybe", "`maybe`"),
            (&[], "--dsu-frobnicate", "`--dsu-frobnicate`"),
            (&[], "--dsu-list", "`--dsu-list`"),
            (&[], "--dsu-verbose=1", "`--dsu-verbose=1`"),
        ] {
            let error = settings(environment, line).expect_err("must be refused").to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
