//! Makes compiled C and C++ updatable: the pass plugin that clang loads (`libdsu_pass.so`), and what patchgen
//! shares with it.
//!
//! | step | in -> out | module |
//! |---|---|---|
//! | survey | module -> what becomes updatable, what is left alone and why | [`survey`] |
//! | waits | -> with marks where threads wait for work | [`waits`] |
//! | capture | -> with its bitcode and metadata stored | [`capture`] |
//! | instrument | -> with stubs, slots and quiescence points | [`instrument`] |
//! | record | -> with its records, as assembly | [`capture`] |
//!
//! [`plugin`] runs them, told by [`options`] how. [`llvm`] is the wall: every call into LLVM and every `unsafe`
//! of the host tools.

mod assembly;
pub mod capture;
pub mod instrument;
pub mod llvm;
pub mod options;
pub mod plugin;
mod report;
pub mod survey;
pub mod waits;
