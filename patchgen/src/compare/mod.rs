//! Two builds: what differs, what follows from it, and who must be replaced together.

pub mod attributes;
pub mod audit;
pub mod callgraph;
pub mod closure;
pub mod diff;
pub mod fingerprint;
pub mod layout;
mod line_names;
pub mod resolve;
pub mod side;
