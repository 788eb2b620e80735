//! `dsu-cc` and `dsu-c++`: clang with the pass plugin, as a drop-in.
//!
//! [`args`] knows the flags, [`invocation`] what clang will do with them, [`plan`] what to add, [`run`] does it.
//! Everything but [`run`], [`facts`] and [`report`] is pure.

mod args;
mod error;
mod facts;
mod flags;
mod help;
mod invocation;
mod meaning;
mod plan;
mod plugin;
mod report;
mod response;
mod run;
mod settings;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

/// Exit status when the toolchain is incomplete or clang cannot be started. Otherwise the status is clang's.
pub(crate) const EXIT_FAILED: u8 = 1;
/// Exit status when one of the wrapper's own flags or variables is wrong.
pub(crate) const EXIT_USAGE: u8 = 2;

/// Which of clang's two drivers a wrapper stands in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// `clang`
    C,
    /// `clang++`
    Cxx,
}

impl Language {
    /// The two wrappers are one executable under two names.
    fn of_name(called: &OsStr) -> Self {
        let name = Path::new(called).file_name().unwrap_or_default();
        if name.as_bytes().ends_with(b"++") { Self::Cxx } else { Self::C }
    }

    /// Name of the wrapper.
    pub(crate) fn wrapper(self) -> &'static str {
        match self {
            Self::C => "dsu-cc",
            Self::Cxx => "dsu-c++",
        }
    }
}

/// The whole of a wrapper's `main`.
pub(crate) fn main() -> ExitCode {
    let language = Language::of_name(&std::env::args_os().next().unwrap_or_default());
    match run::run(language) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: error: {error}", language.wrapper());
            ExitCode::from(if error.is_usage() { EXIT_USAGE } else { EXIT_FAILED })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_the_language() {
        for (called, language) in [
            ("dsu-cc", Language::C),
            ("/opt/c++/dsu-cc", Language::C),
            ("dsu-c++", Language::Cxx),
            ("/usr/bin/dsu-c++", Language::Cxx),
            ("", Language::C),
        ] {
            assert_eq!(Language::of_name(OsStr::new(called)), language, "`{called}`");
        }
    }
}
