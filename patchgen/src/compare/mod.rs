//! Two builds: what differs, what follows from it, and who must be replaced together.

pub mod attributes;
pub mod audit;
pub mod callgraph;
pub mod closure;
mod continuity;
pub mod diff;
pub mod fingerprint;
pub mod layout;
mod line_names;
mod numbered;
pub mod resolve;
pub mod side;
