//! What stops the wrapper before clang runs.

use std::path::PathBuf;

use crate::toolchain::{CLANG, MAJOR};

/// A failure of the wrapper itself; clang's own failures are clang's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A `--dsu-…` flag nobody knows.
    #[error("flag `{0}` is not known or lacks its value; `--dsu-help` lists the flags")]
    UnknownFlag(String),
    /// A dispatch nobody knows.
    #[error("dispatch `{value}` in `{origin}` is not known; use `armed` or `always`")]
    UnknownDispatch {
        /// What was given.
        value: String,
        /// The flag or variable it stood in.
        origin: &'static str,
    },
    /// A switch that is set to something else.
    #[error("`{value}` in `{origin}` is not known; use `on` or `off`")]
    NeitherOnNorOff {
        /// What was given.
        value: String,
        /// The flag or variable it stood in.
        origin: &'static str,
    },
    /// No clang 19.
    #[error(
        "clang {MAJOR} not found: `{CLANG}` is not in PATH, and no `clang` there is of version {MAJOR}; set DSU_CLANG to it"
    )]
    NoClang,
    /// `DSU_CLANG` is not there.
    #[error("`{}`, which DSU_CLANG names, is not an executable file", .0.display())]
    WrongClang(PathBuf),
    /// Something that belongs beside the wrapper is missing.
    #[error("`{what}` not found in `{}`; build it with `cargo build --release`, or set DSU_DISABLE=1 for plain clang", .directory.display())]
    Incomplete {
        /// The file.
        what: &'static str,
        /// Where it should be.
        directory: PathBuf,
    },
    /// The wrapper does not know where it is.
    #[error("cannot tell where the wrapper is installed: {0}")]
    Lost(std::io::Error),
    /// Clang does not start.
    #[error("cannot run `{}`: {}", .clang.display(), .reason)]
    CannotRun {
        /// The compiler.
        clang: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The log cannot be written.
    #[error("cannot append to log `{}`: {}; check DSU_LOG or --dsu-log", .log.display(), .reason)]
    CannotLog {
        /// The log.
        log: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
}

impl Error {
    /// Whether the command line, rather than the installation, is to blame.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(self, Self::UnknownFlag(_) | Self::UnknownDispatch { .. } | Self::NeitherOnNorOff { .. })
    }
}
