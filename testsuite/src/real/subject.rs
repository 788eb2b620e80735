//! What the servers have in common that the whole way is travelled on.
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::compiler::Flavor;
use super::load::Protocol;
use super::server::Server;

/// Before or after the fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Without it: what runs.
    Old,
    /// With it: what shall run.
    New,
}

impl Version {
    /// A word for folders.
    pub fn name(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
        }
    }
}

/// A program that is updated: how to build, start and ask it.
pub trait Subject {
    /// The program.
    fn name(&self) -> String;
    /// The fix that makes `New` out of `Old`.
    fn fix(&self) -> String;
    /// Builds one version in `folder`, which is empty; the executable.
    fn build(&self, version: Version, flavor: Flavor, folder: &Path) -> Result<PathBuf>;
    /// Starts an executable with 4 threads, its files and sockets in `folder`.
    fn start(&self, executable: &Path, folder: &Path) -> Result<Box<dyn Live>>;
    /// What the probe answers in this version.
    fn answer(&self, version: Version) -> &'static str;

    /// A build kept from run to run, as long as neither tools nor sources change.
    fn cached_build(&self, version: Version, flavor: Flavor) -> Result<PathBuf>;
}

/// A program that runs.
pub trait Live {
    /// The process that is updated.
    fn server(&mut self) -> &mut Server;
    /// Where it serves.
    fn address(&self) -> SocketAddr;
    /// What it speaks.
    fn protocol(&self) -> Protocol;
    /// Asks for what the fix changes.
    fn probe(&self) -> Result<String>;
}
