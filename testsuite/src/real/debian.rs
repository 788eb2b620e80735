//! A server as Debian ships it, before and after one of the fixes in its patch series.
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::cache;
use super::compiler::Flavor;
use super::source::{self, Cut, Package};
use super::subject::{Live, Subject, Version};

/// Its source, and how it is built.
#[derive(Clone, Debug)]
pub struct Debian {
    package: Package,
    recipe: Recipe,
}

/// What is to be known of a package.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// Name of the package, and of the folder it is built in.
    pub name: &'static str,
    /// The fix, by its name in the package's patch series.
    pub fix: &'static str,
    /// Builds it in an unpacked tree.
    pub make: fn(&Path, Flavor) -> Result<PathBuf>,
    /// The executable in that tree.
    pub program: &'static str,
    /// Starts it: see [`Subject::start`].
    pub start: fn(&Path, &Path) -> Result<Box<dyn Live>>,
    /// What the probe answers before the fix, and with it.
    pub answers: [&'static str; 2],
}

impl Debian {
    /// Fetches the source.
    pub fn fetch(recipe: Recipe) -> Result<Self> {
        Ok(Self { package: source::fetch(recipe.name)?, recipe })
    }
}

impl Subject for Debian {
    fn name(&self) -> String {
        self.package.version().replace('_', " ")
    }

    fn fix(&self) -> String {
        self.recipe.fix.to_owned()
    }

    fn build(&self, version: Version, flavor: Flavor, folder: &Path) -> Result<PathBuf> {
        // The same folder name for both versions: what differs is the change, not the place.
        let tree = folder.join(self.recipe.name);
        let fix = self.recipe.fix;
        let cut = if version == Version::Old { Cut::Before(fix) } else { Cut::With(fix) };
        self.package.unpack(cut, &tree)?;
        (self.recipe.make)(&tree, flavor)
    }

    fn cached_build(&self, version: Version, flavor: Flavor) -> Result<PathBuf> {
        let words = [self.package.version(), flavor.name().to_owned(), version.name().to_owned()];
        let key = cache::key(&flavor.inputs()?, &words.each_ref().map(String::as_str))?;
        let name = format!("{}-{key}", self.recipe.name);
        let folder = cache::once(&name, |folder| self.build(version, flavor, folder).map(drop))?;
        Ok(folder.join(self.recipe.name).join(self.recipe.program))
    }

    fn start(&self, executable: &Path, folder: &Path) -> Result<Box<dyn Live>> {
        (self.recipe.start)(executable, folder)
    }

    fn answer(&self, version: Version) -> &'static str {
        let [old, new] = self.recipe.answers;
        if version == Version::Old { old } else { new }
    }
}
