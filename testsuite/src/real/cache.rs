//! `${DSU_CACHE:-$HOME/.cache/dsu}`: fetched sources and finished builds, outside the tree.
use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};

/// A folder of the cache, created if need be.
pub fn folder(name: &str) -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let root = match (set("DSU_CACHE"), set("HOME")) {
        (Some(root), _) => PathBuf::from(root),
        (None, Some(home)) => Path::new(&home).join(".cache/dsu"),
        (None, None) => std::env::temp_dir().join("dsu-cache"),
    };
    let folder = root.join(name);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create `{}`; set DSU_CACHE", folder.display()))?;
    Ok(folder)
}

/// A key that changes with the content of each of `files` and with `words`.
pub fn key(files: &[PathBuf], words: &[&str]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for file in files {
        fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?.hash(&mut hasher);
    }
    words.hash(&mut hasher);
    Ok(format!("{:016x}", hasher.finish()))
}

/// The build `name`, made by `make` if it is not there.
pub fn once(name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    once_in("build", name, make)
}

/// The folder `name` in a `part` of the cache, made by `make` if it is not there. Only a finished folder ever gets that name,
/// so a run that dies halfway and two runs at once do no harm.
pub fn once_in(part: &str, name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    // The tests of one process want the same build at the same time; one makes it, the others wait.
    static MADE: Mutex<BTreeMap<String, Arc<Mutex<()>>>> = Mutex::new(BTreeMap::new());
    let one = MADE.lock().unwrap_or_else(PoisonError::into_inner).entry(format!("{part}/{name}")).or_default().clone();
    let _guard = one.lock().unwrap_or_else(PoisonError::into_inner);
    let done = folder(part)?.join(name);
    if done.is_dir() {
        return Ok(done);
    }
    let work = tempfile::Builder::new().prefix("unfinished-").tempdir_in(folder(part)?)?;
    make(work.path())?;
    if let Err(error) = fs::rename(work.path(), &done) {
        // Somebody else was faster, which is as good.
        anyhow::ensure!(done.is_dir(), "cannot rename `{}`: {error}", work.path().display());
    }
    Ok(done)
}
