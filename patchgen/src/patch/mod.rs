//! From an update set to a patch object.

pub mod emit;
pub mod extract;
pub mod hooks;
pub mod order;
pub mod self_patch;
