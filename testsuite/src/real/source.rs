//! Source packages from the machine's own Debian archives.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::cache;
use super::command::run;
use super::skip::Skipped;

/// A fetched source package.
#[derive(Clone, Debug)]
pub struct Package {
    description: PathBuf,
}

/// Which of a package's own patches are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut<'a> {
    /// All before the one whose name contains this.
    Before(&'a str),
    /// All up to and including that one.
    With(&'a str),
}

/// Fetches what the archive has of `package` now, or takes what an earlier run has fetched.
pub fn fetch(package: &str) -> Result<Package> {
    fetch_as(package, package, || Ok(Vec::new()))
}

/// [`fetch`] from another release of Debian than the machine's, by its codename.
pub fn fetch_from(suite: &str, package: &str) -> Result<Package> {
    fetch_as(&format!("{package}-{suite}"), package, || options_for(suite))
}

fn fetch_as(name: &str, package: &str, options: impl FnOnce() -> Result<Vec<String>>) -> Result<Package> {
    let fetched = cache::once_in("source", name, |folder| {
        let mut apt = Command::new("apt-get");
        run(apt.args(options()?).args(["source", "--download-only", "-q", package]).current_dir(folder), &[0]).map(drop)
    });
    let folder = fetched.map_err(|error| {
        Skipped(format!("cannot fetch the source of `{package}` (offline, or ci/install-deps.sh not run): {error:#}"))
    })?;
    let description = description_in(&folder)?;
    Ok(Package { description: description.with_context(|| format!("apt-get left no .dsc in `{}`", folder.display()))? })
}

/// Where the machine's packages come from; `apt-get` of a release knows its own archives only.
const ARCHIVES: &str = "/etc/apt/sources.list.d/debian.sources";

/// Options by which `apt-get` looks into the same archives for another release; its lists are kept in the cache.
fn options_for(suite: &str) -> Result<Vec<String>> {
    let folder = cache::folder(&format!("apt-{suite}"))?;
    let read = |file| fs::read_to_string(file).with_context(|| format!("cannot read `{file}`"));
    let (archives, release) = (read(ARCHIVES)?, read("/etc/os-release")?);
    let own = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")).context("no codename")?;
    let list = folder.join("src.sources");
    fs::write(&list, sources_of(&archives, own, suite))?;
    for name in ["lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(folder.join(name))?;
    }
    let folder = folder.display();
    let options = [
        format!("-oDir::Etc::sourcelist={}", list.display()),
        "-oDir::Etc::sourceparts=/dev/null".to_owned(),
        format!("-oDir::State::lists={folder}/lists"),
        format!("-oDir::Cache={folder}/cache"),
    ];
    run(Command::new("apt-get").args(&options).args(["update", "-q"]), &[0])?;
    Ok(options.to_vec())
}

/// The entries of a sources file, for the source packages of another release.
fn sources_of(archives: &str, own: &str, suite: &str) -> String {
    let line = |line: &str| match line.split_once(':') {
        Some(("Types", _)) => "Types: deb-src\n".to_owned(),
        Some(("Suites", _)) => line.replace(own, suite) + "\n",
        _ => line.to_owned() + "\n",
    };
    archives.lines().map(line).collect()
}

fn description_in(folder: &Path) -> Result<Option<PathBuf>> {
    let mut found = None;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "dsc") {
            found = Some(path);
        }
    }
    Ok(found)
}

impl Package {
    /// The name with its version, for keys and tables.
    pub fn version(&self) -> String {
        self.description.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Unpacks the package into `tree`, which must not exist, without its patches.
    pub fn unpack_plain(&self, tree: &Path) -> Result<()> {
        let mut unpack = Command::new("dpkg-source");
        unpack.args(["--no-check", "--skip-patches", "-x"]).arg(&self.description).arg(tree);
        run(&mut unpack, &[0]).map(drop)
    }

    /// The patches of an unpacked tree, in the order they are applied in.
    pub fn patches(&self, tree: &Path) -> Result<Vec<String>> {
        let series = fs::read_to_string(tree.join("debian/patches/series")).context("the package has no patches")?;
        Ok(names(&series).into_iter().map(str::to_owned).collect())
    }

    /// Unpacks the package into `tree`, which must not exist, and applies its patches up to the cut.
    pub fn unpack(&self, cut: Cut<'_>, tree: &Path) -> Result<()> {
        self.unpack_plain(tree)?;
        let series = fs::read_to_string(tree.join("debian/patches/series")).context("the package has no patches")?;
        cut.of(&series)?.into_iter().try_for_each(|patch| self.apply(patch, tree).map(drop))
    }

    /// Applies one of its patches to an unpacked tree; the file it is in.
    pub fn apply(&self, patch: &str, tree: &Path) -> Result<PathBuf> {
        let file = tree.join("debian/patches").join(patch);
        let mut apply = Command::new("patch");
        run(apply.args(["--silent", "--forward", "-p1", "-i"]).arg(&file).arg("-d").arg(tree), &[0])?;
        Ok(file)
    }
}

/// The names in a series.
fn names(series: &str) -> Vec<&str> {
    series.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

impl Cut<'_> {
    fn of(self, series: &str) -> Result<Vec<&str>> {
        let (fix, with) = match self {
            Self::Before(fix) => (fix, 0),
            Self::With(fix) => (fix, 1),
        };
        let all = names(series);
        let Some(position) = all.iter().position(|name| name.contains(fix)) else {
            bail!("no patch named `{fix}` in debian/patches/series, which has: {}", all.join(" "));
        };
        Ok(all[..position + with].to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::{Cut, sources_of};

    #[test]
    fn a_series_is_cut_by_the_name_of_the_fix() {
        let series = "# ours\n0001-a.patch\n\n0009-CVE-1-2.patch\nlater.patch\n";
        assert_eq!(Cut::Before("CVE-1-2").of(series).expect("it is there"), ["0001-a.patch"]);
        assert_eq!(Cut::With("CVE-1-2").of(series).expect("it is there"), ["0001-a.patch", "0009-CVE-1-2.patch"]);
        let error = Cut::With("CVE-3").of(series).expect_err("there is none");
        assert!(error.to_string().contains("later.patch"));
    }

    #[test]
    fn another_release_is_looked_for_in_the_same_archives() {
        let own = "Types: deb\nURIs: http://a/bookworm\nSuites: bookworm bookworm-updates\n";
        let other = "Types: deb-src\nURIs: http://a/bookworm\nSuites: trixie trixie-updates\n";
        assert_eq!(sources_of(own, "bookworm", "trixie"), other);
    }
}
