//! The libraries a build needs, found where the dynamic linker would find them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use object::{Object, ObjectSymbol};

use super::Build;
use crate::problem::{Problem, Reason, Result};
use crate::toolchain::{MULTIARCH, Tool};

/// Where the dynamic linker looks by itself, after the directories of the machine's own kind.
const DIRECTORIES: [&str; 5] = ["/usr/local/lib", "/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/// A library found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// Its soname.
    pub soname: String,
    /// Its file.
    pub path: PathBuf,
}

/// The needed libraries that exist here, and the sonames of those that do not.
pub fn find(build: &Build) -> (Vec<Library>, Vec<String>) {
    let origin = build.origin.to_string_lossy();
    let origin = if origin.is_empty() { "." } else { &origin };
    let expand = |path: &String| PathBuf::from(path.replace("${ORIGIN}", origin).replace("$ORIGIN", origin));
    let mut directories: Vec<PathBuf> = build.run_path.iter().map(expand).collect();
    directories.extend(["/lib", "/usr/lib"].map(|lib| Path::new(lib).join(MULTIARCH)));
    directories.extend(DIRECTORIES.iter().map(PathBuf::from));
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for soname in &build.needed {
        match directories.iter().map(|d| d.join(soname)).find(|p| p.is_file()) {
            Some(path) => found.push(Library { soname: soname.clone(), path }),
            None => missing.push(soname.clone()),
        }
    }
    (found, missing)
}

/// Is each of these names, which a patch leaves to the dynamic linker, provided by the base or a library it loads?
pub fn check_provided<'n>(build: &Build, names: impl Iterator<Item = &'n str>) -> Result<()> {
    // The dynamic linker itself provides `__tls_get_addr`.
    let exported = |name: &str| build.exported.binary_search_by(|e| e.as_str().cmp(name)).is_ok();
    let mut open: BTreeSet<&str> = names.filter(|n| *n != "__tls_get_addr" && !exported(n)).collect();
    if open.is_empty() {
        return Ok(());
    }
    let (found, missing) = find(build);
    for library in &found {
        let exports = exports(&library.path);
        open.retain(|name| !exports.contains(*name));
    }
    let helpers = helpers();
    open.retain(|name| !helpers.contains(*name));
    let Some(name) = open.first() else { return Ok(()) };
    if let Some(library) = missing.first().filter(|_| build.imported.contains_key(*name)) {
        let message = format!("is needed by the base, may be what provides `{name}`, and is not on this machine");
        return Err(Problem::new(Reason::LibraryMissing, library, message));
    }
    let libraries = build.needed.join("`, `");
    let message = format!("is defined neither by the base nor by the libraries it loads (`{libraries}`)");
    Err(Problem::new(Reason::Unresolved, *name, message))
}

/// The archive of functions that compiled code calls where the processor has no instruction (`__muldc3`); a patch
/// gets its own copy, as every program does.
pub fn compiler_runtime() -> Option<PathBuf> {
    let clang = Tool::Clang.program();
    let output = std::process::Command::new(clang).args(["-print-libgcc-file-name", "-rtlib=libgcc"]).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    path.is_file().then_some(path)
}

/// Names in that archive.
fn helpers() -> BTreeSet<String> {
    let bytes = compiler_runtime().and_then(|path| fs::read(path).ok()).unwrap_or_default();
    let Ok(archive) = object::read::archive::ArchiveFile::parse(&*bytes) else { return BTreeSet::new() };
    let symbols = archive.symbols().ok().flatten().into_iter().flatten().flatten();
    symbols.map(|s| String::from_utf8_lossy(s.name()).into_owned()).collect()
}

/// Names a library exports.
pub fn exports(path: &Path) -> BTreeSet<String> {
    let bytes = fs::read(path).unwrap_or_default();
    let Ok(file) = object::File::parse(&*bytes) else { return BTreeSet::new() };
    // Not `is_definition`, to which an indirect function (libc's `strcmp`) is none.
    let defined = file.dynamic_symbols().filter(|s| s.is_global() && !s.is_undefined());
    defined.filter_map(|s| s.name().ok().map(str::to_owned)).collect()
}
