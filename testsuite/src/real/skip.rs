//! What is missing on this machine is said, and where nothing may be missing it fails.
use std::fmt;

use crate::tools::skips_allowed;

/// An error that means "not possible on this machine", not "wrong".
#[derive(Debug)]
pub struct Skipped(pub String);

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Skipped {}

/// Runs the body of a test. [`Skipped`] prints `skipped: reason`, or fails when `DSU_TEST_ALLOW_SKIP` is `0`.
///
/// # Panics
/// When the body fails, with the whole chain of causes.
pub fn run(body: impl FnOnce() -> anyhow::Result<()>) {
    let Err(error) = body() else { return };
    match error.downcast_ref::<Skipped>() {
        Some(reason) if skips_allowed() => eprintln!("skipped: {reason}"),
        Some(reason) => panic!("skipped: {reason} (and DSU_TEST_ALLOW_SKIP=0 allows no skipping)"),
        None => panic!("{error:?}"),
    }
}
