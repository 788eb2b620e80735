/// A step of LLVM's that failed, with LLVM's own words.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LlvmError {
    /// Not bitcode or IR text of this LLVM version.
    #[error("not readable as LLVM 19 bitcode or IR: {0}")]
    Parse(String),
    /// The verifier found the module broken.
    #[error("the module is not valid: {0}")]
    Verify(String),
    /// A special-case list that cannot be read or parsed.
    #[error("{0}; the format is that of clang's -fsanitize-ignorelist")]
    List(String),
}

/// Result of a step of LLVM's.
pub type Result<T> = std::result::Result<T, LlvmError>;
