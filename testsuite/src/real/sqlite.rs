//! SQLite's amalgamation: one huge translation unit, out of the crate `libsqlite3-sys`.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::cache;
use super::command::{json, run};
use super::compiler::Flavor;
use super::skip::Skipped;
use super::subject::Version;
use crate::tools::workspace;

/// The release of `libsqlite3-sys`, and with it of SQLite (3.46), that is measured.
const CRATE_VERSION: &str = "0.30.1";

/// A change of one line, in `sqlite3_value_type`: part of the API, and inlined into some thirty others.
const LINE: [&str; 2] =
    ["return aType[pVal->flags&MEM_AffMask];", "return aType[pVal->flags&(MEM_AffMask^MEM_IntReal)];"];

/// The function with that line.
pub const CHANGED: &str = "sqlite3_value_type";

/// The folder with `sqlite3.c`, fetched by cargo.
pub fn fetch() -> Result<PathBuf> {
    let folder = cache::folder("source")?.join(format!("sqlite-{CRATE_VERSION}"));
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), "")?;
    let manifest = folder.join("Cargo.toml");
    fs::write(
        &manifest,
        format!(
            "[package]\nname = \"amalgamation\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\nlibsqlite3-sys = \"={CRATE_VERSION}\"\n"
        ),
    )?;
    let mut metadata = Command::new("cargo");
    metadata.args(["metadata", "--quiet", "--format-version=1", "--manifest-path"]).arg(&manifest);
    let output = match run(&mut metadata, &[0]) {
        Ok((output, _)) => output,
        Err(error) => bail!(Skipped(format!("cannot fetch the crate libsqlite3-sys: {error:#}"))),
    };
    let metadata = json(&output.stdout)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let package = packages.iter().find(|package| package["name"] == "libsqlite3-sys").context("no libsqlite3-sys")?;
    let manifest = Path::new(package["manifest_path"].as_str().context("a package without manifest")?);
    Ok(manifest.with_file_name("sqlite3"))
}

/// `sqlite3.c` of a version in `folder`, beside its header.
pub fn write_source(version: Version, folder: &Path) -> Result<()> {
    let origin = fetch()?;
    fs::copy(origin.join("sqlite3.h"), folder.join("sqlite3.h"))?;
    let mut source = fs::read_to_string(origin.join("sqlite3.c"))?;
    let [old, new] = LINE;
    ensure!(source.matches(old).count() == 1, "the line `{old}` is not there once");
    if version == Version::New {
        source = source.replace(old, new);
    }
    fs::write(folder.join("sqlite3.c"), source)?;
    Ok(())
}

/// An executable with SQLite and the workload of `testsuite/bench/sqlite_work.c`, kept from run to run.
pub fn cached_build(version: Version, flavor: Flavor) -> Result<PathBuf> {
    cached_copy(version, flavor, "first")
}

/// As [`cached_build`]; each `copy` is compiled by itself, in a folder of its own.
pub fn cached_copy(version: Version, flavor: Flavor, copy: &str) -> Result<PathBuf> {
    let work = workspace().join("testsuite/bench/sqlite_work.c");
    let mut inputs = flavor.inputs()?;
    inputs.push(work.clone());
    let key = cache::key(&inputs, &[CRATE_VERSION, LINE[1], flavor.name(), version.name(), copy])?;
    let folder = cache::once(&format!("sqlite-{key}"), |folder| {
        write_source(version, folder)?;
        fs::copy(&work, folder.join("sqlite_work.c"))?;
        let mut compile = Command::new(flavor.compiler()?);
        compile.args(["-O2", "-DSQLITE_OMIT_LOAD_EXTENSION", "sqlite3.c", "sqlite_work.c"]).current_dir(folder);
        compile.args(["-pthread", "-lm", "-o", "sqlite"]);
        flavor.prepare(&mut compile);
        run(&mut compile, &[0]).context("SQLite cannot be built")?;
        Ok(())
    })?;
    Ok(folder.join("sqlite"))
}
