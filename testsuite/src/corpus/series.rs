//! Debian packages: one step for each patch of theirs that touches C.
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::crates::drivers;
use super::{Running, Source};
use crate::real::cache;
use crate::real::compiler::Flavor;
use crate::real::source::{self, Package};

/// What the version before the first patch is called.
const UNPATCHED: &str = "upstream";

/// A package, and what is done with it.
#[derive(Debug)]
pub struct Series {
    /// What it is called here.
    pub word: &'static str,
    /// The package.
    pub package: &'static str,
    /// The release of Debian it is of, if that is not the machine's.
    pub suite: Option<&'static str>,
    /// Builds an unpacked tree, or what changed in it since; the executable.
    pub make: fn(&Path) -> Result<PathBuf>,
    /// Starts an executable, its files and sockets in a folder.
    pub start: fn(&Path, &Path) -> Result<Box<dyn Running>>,
    /// The drivers that go into a build.
    pub inputs: &'static [&'static str],
}

impl Series {
    fn fetch(&self) -> Result<Package> {
        self.suite.map_or_else(|| source::fetch(self.package), |suite| source::fetch_from(suite, self.package))
    }

    /// Builds all versions in one tree, one after the other, each only as far as its patch reaches.
    fn built(&self) -> Result<PathBuf> {
        let package = self.fetch()?;
        let mut inputs = Flavor::Armed.inputs()?;
        inputs.extend(self.inputs.iter().map(|file| drivers().join(file)));
        let key = cache::key(&inputs, &[&package.version()])?;
        cache::once(&format!("series-{}-{key}", self.word), |folder| {
            let tree = folder.join("tree");
            package.unpack_plain(&tree)?;
            let mut versions = vec![UNPATCHED.to_owned()];
            self.keep(&tree, folder, 0)?;
            for patch in package.patches(&tree)? {
                let file = package.apply(&patch, &tree)?;
                if touches_c(&String::from_utf8_lossy(&fs::read(file)?)) {
                    self.keep(&tree, folder, versions.len())?;
                    versions.push(patch);
                }
            }
            fs::write(folder.join("versions"), versions.join("\n")).context("cannot note the versions")
        })
    }

    fn keep(&self, tree: &Path, folder: &Path, number: usize) -> Result<()> {
        let executable = (self.make)(tree)?;
        fs::copy(executable, folder.join(number.to_string())).map(drop).context("cannot keep a build")
    }
}

/// Whether a patch changes what is compiled.
fn touches_c(patch: &str) -> bool {
    let changed = patch.lines().filter_map(|line| line.strip_prefix("+++ ")?.split_whitespace().next());
    changed.into_iter().any(|file| (file.ends_with(".c") || file.ends_with(".h")) && !file.contains("/tests/"))
}

impl Source for &Series {
    fn name(&self) -> &str {
        self.word
    }

    fn versions(&self) -> Result<Vec<String>> {
        let versions = fs::read_to_string(self.built()?.join("versions"))?;
        Ok(versions.lines().map(str::to_owned).collect())
    }

    fn build(&self, version: &str) -> Result<PathBuf> {
        let number = self.versions()?.iter().position(|known| known == version);
        Ok(self.built()?.join(number.context("no such version")?.to_string()))
    }

    fn start(&self, executable: &Path, folder: &Path) -> Result<Box<dyn Running>> {
        (self.start)(executable, folder)
    }
}

#[cfg(test)]
mod tests {
    use super::touches_c;

    #[test]
    fn only_what_is_compiled_counts() {
        assert!(touches_c("--- a/src/x.c\n+++ b/src/x.c\t2024-01-01\n"));
        assert!(!touches_c("+++ b/redis.conf\n+++ b/tests/unit/x.tcl\n"));
    }
}
