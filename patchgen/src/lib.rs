//! Turns two builds into one reviewed patch file, or says why it must not.
//!
//! Bias: what is not understood counts as a change, and what cannot be shown correct is refused. Each step
//! consumes what the step before returned:
//!
//! | step | in -> out |
//! |---|---|
//! | [`git`] | a change in a repository -> both builds |
//! | [`input`] | file -> [`input::Build`] |
//! | [`ir`] | bitcode -> the parts of its text |
//! | [`fingerprint`] | parts -> canonical text and hashes |
//! | [`diff`] | two builds -> change set |
//! | [`layout`] | debug information -> types whose layout differs |
//! | [`callgraph`], [`closure`] | change set -> update set, each member with its reason |
//! | [`churn`] | one build -> update set of all its functions |
//! | [`hooks`] | a file of the release engineer's -> one more unit, and what the runtime calls |
//! | [`verdict`] | all of it -> apply, nothing to do, or refused |
//! | [`risks`] | problems -> those that are left, and those that were accepted |
//! | [`redirect`] | update set -> what the base tells about each redirected function |
//! | [`consistency`] | update set -> how threads get to the new versions |
//! | [`extract`] | update set -> one small module per unit |
//! | [`emit`] | modules -> patch object |
//! | [`explain`], [`report`], [`inspect`] | what a person reads |

pub mod callgraph;
pub mod churn;
pub mod cli;
pub mod closure;
pub mod consistency;
pub mod diff;
pub mod emit;
pub mod exit;
pub mod explain;
pub mod extract;
pub mod fingerprint;
pub mod git;
pub mod hooks;
pub mod input;
pub mod inspect;
pub mod ir;
pub mod layout;
pub mod manifest;
pub mod pipeline;
pub mod problem;
pub mod program;
pub mod progress;
pub mod promises;
pub mod redirect;
pub mod report;
pub mod resolve;
pub mod risks;
pub mod verdict;
