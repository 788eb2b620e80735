//! The one place that knows LLVM's version, the names of its tools and the target they work for.

use std::ffi::OsString;

/// Whom code is made for.
pub const TRIPLE: &str = "x86_64-pc-linux-gnu";
/// The multiarch directory of its libraries.
pub const MULTIARCH: &str = "x86_64-linux-gnu";

/// A tool of LLVM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// The compiler.
    Clang,
    /// The code generator.
    Llc,
    /// The assembler.
    Mc,
    /// The linker.
    Lld,
    /// The editor of object files.
    Objcopy,
}

impl Tool {
    /// What to run: as the environment says, or else the name that Debian gives LLVM 19's.
    pub fn program(self) -> OsString {
        let (variable, name) = match self {
            Self::Clang => ("DSU_CLANG", "clang-19"),
            Self::Llc => ("DSU_LLC", "llc-19"),
            Self::Mc => ("DSU_MC", "llvm-mc-19"),
            Self::Lld => ("DSU_LLD", "ld.lld-19"),
            Self::Objcopy => ("DSU_OBJCOPY", "llvm-objcopy-19"),
        };
        std::env::var_os(variable).filter(|value| !value.is_empty()).unwrap_or_else(|| name.into())
    }
}
