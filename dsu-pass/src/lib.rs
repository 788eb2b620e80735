//! Makes compiled C and C++ updatable: the pass plugin that clang loads (`libdsu_pass.so`), and what patchgen
//! shares with it.
//!
//! | step | in -> out | module |
//! |---|---|---|
//! | survey | module -> what becomes updatable, what is left alone and why | [`survey`] |
//! | waits | -> with marks where threads wait for work | [`waits`] |
//! | capture | -> with its bitcode and metadata stored | [`capture`] |
//! | instrument | -> with stubs, slots and quiescence points | [`instrument`] |
//! | record | -> with its records, as assembly | `record` |
//!
//! [`plugin`] runs them, told by [`options`] how; [`markers`] stand for what the last steps make, [`toolchain`] knows
//! LLVM's version. [`llvm`] is the wall: every call into LLVM and every `unsafe`
//! of the host tools.

mod assembly;
pub mod capture;
pub mod instrument;
pub mod llvm;
pub mod markers;
pub mod options;
pub mod plugin;
mod record;
mod report;
pub mod survey;
pub mod toolchain;
pub mod waits;
