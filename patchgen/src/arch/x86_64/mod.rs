//! x86-64: entries of instrumented functions, their original-code trampolines, and the assembly of a patch object.

mod entry;
pub mod instruction;
pub mod text;
mod trampoline;

pub use entry::{AFTER, BEFORE, read_stub};
pub use trampoline::{Trampoline, trampoline};

/// Calling conventions of LLVM that leave `r11` to the callee.
pub const R11_IS_FREE: [&str; 7] =
    ["ccc", "fastcc", "coldcc", "preserve_mostcc", "preserve_allcc", "win64cc", "x86_64_sysvcc"];
