//! Turns two builds into one reviewed patch file, or says why it must not.
//!
//! Bias: what is not understood counts as a change, and what cannot be shown correct is refused. Each step
//! consumes what the step before returned:
//!
//! | layer | in -> out |
//! |---|---|
//! | [`ir`] | bitcode -> the parts of its text |
//! | [`build`] | a file, or a change in a repository -> [`build::Build`]; units of two builds paired |
//! | [`compare`] | two builds -> change set -> update set, each member with its reason |
//! | [`check`] | all of it -> apply, nothing to do, or refused; how threads get to the new versions |
//! | [`patch`] | update set -> one small module per unit -> patch object |
//! | [`report`] | what a person reads |
//! | [`pipeline`] | the whole way |
//!
//! A layer knows those above it in this table only. [`arch`] has what belongs to one processor, [`toolchain`] what belongs
//! to one version of LLVM.

pub mod arch;
pub mod build;
pub mod check;
pub mod cli;
pub mod compare;
pub mod exit;
pub mod ir;
pub mod patch;
pub mod pipeline;
pub mod problem;
pub mod progress;
pub mod report;
pub mod toolchain;
