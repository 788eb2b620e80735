//! Exit codes of `patchgen`.

/// A patch was written; for `diff`, differences were shown.
pub const DONE: u8 = 0;
/// Something failed: unreadable input, a missing tool, a full disk.
pub const FAILED: u8 = 1;
/// The command line was not understood (clap's own code).
pub const USAGE: u8 = 2;
/// The two builds behave the same: there is nothing to patch.
pub const NO_CHANGE: u8 = 3;
/// The builds differ, but nothing of the difference would ever run in a process that has begun its work.
pub const NO_EFFECT: u8 = 5;
/// The change cannot be applied to a running process; the reasons are on stderr.
pub const REFUSED: u8 = 4;
