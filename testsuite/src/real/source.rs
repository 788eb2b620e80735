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
    let folder = cache::folder("source")?.join(package);
    fs::create_dir_all(&folder)?;
    if let Some(description) = description_in(&folder)? {
        return Ok(Package { description });
    }
    let mut apt = Command::new("apt-get");
    apt.args(["source", "--download-only", "-q", package]).current_dir(&folder);
    if let Err(error) = run(&mut apt, &[0]) {
        bail!(Skipped(format!(
            "cannot fetch the source of `{package}` (offline, or ci/install-deps.sh not run): {error}"
        )));
    }
    let description = description_in(&folder)?;
    Ok(Package { description: description.with_context(|| format!("apt-get left no .dsc in `{}`", folder.display()))? })
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
        let patches = tree.join("debian/patches");
        let series = fs::read_to_string(patches.join("series")).context("the package has no patches")?;
        for patch in cut.of(&series)? {
            let mut apply = Command::new("patch");
            apply.args(["--silent", "--forward", "-p1", "-i"]).arg(patches.join(patch)).arg("-d").arg(tree);
            run(&mut apply, &[0])?;
        }
        Ok(())
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
    use super::Cut;

    #[test]
    fn a_series_is_cut_by_the_name_of_the_fix() {
        let series = "# ours\n0001-a.patch\n\n0009-CVE-1-2.patch\nlater.patch\n";
        assert_eq!(Cut::Before("CVE-1-2").of(series).expect("it is there"), ["0001-a.patch"]);
        assert_eq!(Cut::With("CVE-1-2").of(series).expect("it is there"), ["0001-a.patch", "0009-CVE-1-2.patch"]);
        let error = Cut::With("CVE-3").of(series).expect_err("there is none");
        assert!(error.to_string().contains("later.patch"));
    }
}
