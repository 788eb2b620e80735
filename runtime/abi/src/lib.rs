//! Binary formats shared by the compiler plugin, `patchgen`, the runtime and `dsuctl`.
//!
//! Writer and reader of each format live in one file, so that they cannot drift apart, and a test
//! beside them parses what it wrote. All numbers are little-endian; every table starts with a magic,
//! a version and its own size, and a reader refuses what it does not know.
//!
//! | module | what | where it lives | written by | read by |
//! |---|---|---|---|---|
//! | [`unit`] | optimised bitcode of one translation unit | `.debug.dsu_bc` of the program | plugin | patchgen |
//! | [`symbols`] | addresses of one unit's functions and data | `.debug.dsu_sym` of the program | plugin | patchgen |
//! | [`note`] | what was instrumented, per unit | `.note.dsu` of the program (allocated) | plugin | runtime, dsuctl |
//! | [`patch`] | functions to redirect, references to relocate | `.dsu.patch` of a patch object | patchgen | runtime |
//! | [`control`] | which version is for which thread | data of a patch object | runtime | dispatch stubs |
//! | [`wire`] | requests and answers | socket of the process | dsuctl, runtime | runtime, dsuctl |
//! | [`elf`] | headers of a patch object | - | linker | runtime, dsuctl |
//! | [`file`] | checks of a whole patch file | - | - | runtime, dsuctl |
//! | [`stub`] | bytes of a function's entry and stub | program text | plugin | patchgen, runtime |
//!
//! This crate depends on nothing, not even `std`: with `alloc` off (the runtime) only the readers exist.
#![cfg_attr(not(test), no_std)]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod control;
pub mod cursor;
pub mod elf;
pub mod file;
pub mod note;
pub mod patch;
pub mod stub;
pub mod symbols;
pub mod unit;
pub mod wire;

pub use cursor::FormatError;
