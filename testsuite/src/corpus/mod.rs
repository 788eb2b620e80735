//! Consecutive upstream releases, and fixes as vendors ship them: what patchgen makes of each step. A patch it makes
//! is applied to a running process, which must then do recorded work as a fresh process of the new version does.
//!
//! | module | what |
//! |---|---|
//! | [`crates`] | releases of C libraries, out of the crates that carry them |
//! | [`series`] | Debian packages, one step for each patch of theirs |
//! | [`packages`] | which, how each is built, and the work it is given |
//! | [`web`] | the same for those that speak HTTP |
//! | [`step`] | one step: patched, no change or refused, and whether the patched process is right |
//! | [`summary`] | steps and reasons counted |

pub mod crates;
mod make;
pub mod packages;
pub mod series;
pub mod step;
pub mod summary;
mod web;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// A program in versions that follow each other.
pub trait Source {
    /// Its name.
    fn name(&self) -> &str;
    /// Its versions, oldest first, each different from the one before.
    fn versions(&self) -> Result<Vec<String>>;
    /// The instrumented build of a version, kept from run to run.
    fn build(&self, version: &str) -> Result<PathBuf>;
    /// Starts a build, its files and sockets in `folder`.
    fn start(&self, executable: &Path, folder: &Path) -> Result<Box<dyn Running>>;
}

/// A started build.
pub trait Running {
    /// Its process id.
    fn pid(&mut self) -> u32;
    /// Does the recorded work; what came out. The same work again gives the same.
    fn work(&mut self) -> Result<Vec<String>>;
}

/// All sources there are.
pub fn names() -> Vec<&'static str> {
    let series = packages::SERIES.iter().map(|series| series.word);
    crates::LIBRARIES.iter().map(|library| library.word).chain(series).collect()
}

/// A source by its name.
pub fn source(name: &str) -> Result<Box<dyn Source>> {
    if let Some(series) = packages::SERIES.iter().find(|series| series.word == name) {
        return Ok(Box::new(series));
    }
    match crates::library(name) {
        Ok(library) => Ok(Box::new(library)),
        Err(_) => bail!("no source `{name}`; there are: {}", names().join(", ")),
    }
}
