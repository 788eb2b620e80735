//! A server as Debian ships it, before and after one of the fixes in its patch series.
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::cache;
use super::compiler::Flavor;
use super::source::{self, Cut, Package};
use super::subject::Version;

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
}

impl Debian {
    /// Fetches the source.
    pub fn fetch(recipe: Recipe) -> Result<Self> {
        Ok(Self { package: source::fetch(recipe.name)?, recipe })
    }

    /// Name and version, for people.
    pub fn title(&self) -> String {
        self.package.version().replace('_', " ")
    }

    /// Builds it in `folder`; the executable.
    pub fn build(&self, version: Version, flavor: Flavor, folder: &Path) -> Result<PathBuf> {
        // The same folder name for both versions: what differs is the change, not the place.
        let tree = folder.join(self.recipe.name);
        let fix = self.recipe.fix;
        let cut = if version == Version::Old { Cut::Before(fix) } else { Cut::With(fix) };
        self.package.unpack(cut, &tree)?;
        (self.recipe.make)(&tree, flavor)
    }

    /// A build kept from run to run, as long as neither tools nor source change.
    pub fn cached_build(&self, version: Version, flavor: Flavor) -> Result<PathBuf> {
        let words = [self.package.version(), flavor.name().to_owned(), version.name().to_owned()];
        let key = cache::key(&flavor.inputs()?, &words.each_ref().map(String::as_str))?;
        let name = format!("{}-{key}", self.recipe.name);
        let folder = cache::once(&name, |folder| self.build(version, flavor, folder).map(drop))?;
        Ok(folder.join(self.recipe.name).join(self.recipe.program))
    }
}
