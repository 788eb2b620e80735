//! What people and programs read.

pub mod explain;
pub mod inspect;
pub mod manifest;
pub mod page;
pub mod picture;
pub mod source;
