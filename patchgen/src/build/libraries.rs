//! The libraries a build needs, found where the dynamic linker would find them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use object::{Object, ObjectSymbol};

use super::{Build, SymbolLocation};
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
    // A program that ends runs all that was registered, whoever for.
    let registers =
        |name: &str| REGISTRARS.iter().any(|r| r.name == name) && (!build.is_library() || handle(build).is_some());
    let own = |name: &str| name == "__tls_get_addr" || registers(name);
    let mut open: BTreeSet<&str> = names.filter(|n| !own(n) && !exported(n)).collect();
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
    // What the base itself imports is in the process: a plugin uses what its program has.
    open.retain(|name| !missing.is_empty() || !build.imported.contains_key(*name));
    let Some(name) = open.first() else { return Ok(()) };
    if let Some(library) = missing.first().filter(|_| build.imported.contains_key(*name)) {
        let message = format!("is needed by the base, may be what provides `{name}`, and is not on this machine");
        return Err(Problem::new(Reason::LibraryMissing, library, message));
    }
    let libraries = build.needed.join("`, `");
    let message = format!("is defined neither by the base nor by the libraries it loads (`{libraries}`)");
    Err(Problem::new(Reason::Unresolved, *name, message))
}

/// A function of which the C library gives every module a copy, because it says on whose behalf it was called.
#[derive(Debug, Clone, Copy)]
pub struct Registrar {
    /// Its name.
    pub name: &'static str,
    /// What it calls, with the module behind its own arguments.
    pub target: &'static str,
    /// How many arguments it has.
    pub arguments: usize,
    /// Which place the module has among the arguments of what it calls; the ones between are 0.
    pub module: usize,
}

/// The symbol by whose address the C library knows a module.
pub const HANDLE: &str = "__dso_handle";

/// Where a build has it.
pub fn handle(build: &Build) -> Option<SymbolLocation> {
    build.defined.get(HANDLE).or_else(|| build.names.local.get(HANDLE)).copied()
}

/// All of them. A patch calls for its base.
pub const REGISTRARS: [Registrar; 3] = [
    Registrar { name: "atexit", target: "__cxa_atexit", arguments: 1, module: 2 },
    Registrar { name: "at_quick_exit", target: "__cxa_at_quick_exit", arguments: 1, module: 1 },
    Registrar { name: "pthread_atfork", target: "__register_atfork", arguments: 3, module: 3 },
];

/// The archives of which a patch gets its own copy, as every program does: functions that compiled code calls where the processor
/// has no instruction (`__muldc3`), and the part of the C library that is no shared object.
pub fn archives() -> Vec<PathBuf> {
    let find = |arguments: &[&str]| {
        let output = std::process::Command::new(Tool::Clang.program()).args(arguments).output().ok()?;
        let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
        path.is_file().then_some(path)
    };
    let lists = [&["-print-libgcc-file-name", "-rtlib=libgcc"][..], &["-print-file-name=libc_nonshared.a"]];
    lists.into_iter().filter_map(find).collect()
}

/// Names in these archives.
fn helpers() -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for bytes in archives().into_iter().filter_map(|path| fs::read(path).ok()) {
        let Ok(archive) = object::read::archive::ArchiveFile::parse(&*bytes) else { continue };
        let symbols = archive.symbols().ok().flatten().into_iter().flatten().flatten();
        out.extend(symbols.map(|s| String::from_utf8_lossy(s.name()).into_owned()));
    }
    out
}

/// Names a library exports.
pub fn exports(path: &Path) -> BTreeSet<String> {
    let bytes = fs::read(path).unwrap_or_default();
    let Ok(file) = object::File::parse(&*bytes) else { return BTreeSet::new() };
    // Not `is_definition`, to which an indirect function (libc's `strcmp`) is none.
    let defined = file.dynamic_symbols().filter(|s| s.is_global() && !s.is_undefined());
    defined.filter_map(|s| s.name().ok().map(str::to_owned)).collect()
}
