//! The compilers a program is built with to be compared.
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::tools::{PLAIN_CC, Tools};

/// How a program is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flavor {
    /// Plain clang, what everything else is held against.
    Plain,
    /// `dsu-cc` as it is: stubs are armed when they are needed.
    Armed,
    /// `dsu-cc` with every stub armed at build time.
    Always,
}

impl Flavor {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Armed, Self::Always];
    /// Those that can be updated.
    pub const INSTRUMENTED: [Self; 2] = [Self::Armed, Self::Always];

    /// A word for folders and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Armed => "armed",
            Self::Always => "always",
        }
    }

    /// What `CC` is set to.
    pub fn compiler(self) -> Result<PathBuf> {
        match self {
            Self::Plain => Ok(PathBuf::from(PLAIN_CC)),
            Self::Armed | Self::Always => Ok(Tools::find()?.path("dsu-cc")),
        }
    }

    /// Sets what chooses the dispatch; by environment, as a build system that knows nothing of it would.
    pub fn prepare(self, command: &mut Command) {
        command.env_remove("DSU_DISABLE").env_remove("DSU_LIST").env_remove("DSU_POINTS");
        match self {
            Self::Plain => command.env_remove("DSU_DISPATCH"),
            Self::Armed | Self::Always => command.env("DSU_DISPATCH", self.name()),
        };
    }

    /// The files whose change makes a build of this flavor stale.
    pub fn inputs(self) -> Result<Vec<PathBuf>> {
        match self {
            Self::Plain => Ok(Vec::new()),
            Self::Armed | Self::Always => {
                let tools = Tools::find()?;
                Ok(["dsu-cc", "libdsu_pass.so", "libdsu.a"].map(|file| tools.path(file)).to_vec())
            }
        }
    }
}
