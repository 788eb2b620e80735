//! What may not be, what was accepted all the same, and how threads get to the new versions.

pub mod consistency;
pub mod effects;
pub mod overrides;
pub mod redirect;
pub mod rules;
pub mod start_up;
