//! The wall: every call into LLVM and every `unsafe` of the host tools lives below this module. What leaves it
//! is safe to use; raw handles are `pub(in crate::llvm)`.
//!
//! Lifetimes: a [`Module`] borrows its [`Context`], a [`Value`] borrows its module. Nothing out here deletes a
//! value that a handle may still name; the few methods that delete take the handle by value and say so.

mod attributes;
mod calls;
mod constants;
mod context;
mod entry;
mod error;
mod files;
mod flow;
mod globals;
mod list;
mod message;
mod metadata;
mod module;
mod rewrite;
mod value;

pub use calls::Call;
pub use constants::Field;
pub use context::Context;
pub(crate) use entry::export_plugin;
pub use entry::{PassPluginLibraryInfo, Run, plugin};
pub use error::{LlvmError, Result};
pub use flow::{Block, Opcode};
pub use list::SpecialCaseList;
pub use metadata::SourceFile;
pub use module::Module;
pub use rewrite::outline;
pub use value::{Linkage, Value, ValueKind};
