//! Builds the C++ shim: the few things of LLVM that its C interface lacks. Puts what belongs beside `dsu-cc` there.

use std::path::{Path, PathBuf};
use std::process::Command;

#[expect(dead_code, unreachable_pub, reason = "the library exports and uses all of it")]
#[path = "src/toolchain.rs"]
mod toolchain;

use toolchain::{LLVM_CONFIG, MAJOR, PREFIX};

const SHIM: &str = "src/llvm/shim.cpp";
/// (source, archive, whether it must be unwound through): what dsu-cc links into programs beside the runtime.
const ARCHIVES: [(&str, &str, bool); 2] =
    [("src/wrapper/inert.c", "dsu_inert", false), ("src/wrapper/waits.c", "dsu_waits", true)];

fn main() {
    println!("cargo::rerun-if-changed={SHIM}");
    println!("cargo::rerun-if-env-changed={PREFIX}");
    let mut build = cc::Build::new();
    build.cpp(true).std("c++17").file(SHIM).include(include_dir()).warnings(false);
    for flag in ["-fno-exceptions", "-fno-rtti"] {
        build.flag(flag);
    }
    build.compile("dsu_shim");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    // target/PROFILE/build/dsu-pass-HASH/out
    let profile = out.ancestors().nth(3).expect("cargo's layout of OUT_DIR");
    name_the_cxx_wrapper(profile);
    for (source, archive, unwound) in ARCHIVES {
        println!("cargo::rerun-if-changed={source}");
        archive_beside_the_wrapper(source, archive, unwound, &out, profile);
    }
}

/// LLVM's headers: where the variable of the prefix says, else where llvm-config does.
fn include_dir() -> PathBuf {
    if let Some(prefix) = std::env::var_os(PREFIX) {
        let dir = PathBuf::from(prefix).join("include");
        if dir.join("llvm/Passes/PassBuilder.h").exists() {
            return dir;
        }
    }
    let output = Command::new(LLVM_CONFIG).arg("--includedir").output().unwrap_or_else(|error| {
        panic!("no headers of LLVM {MAJOR} ({error}): run ci/install-deps.sh, or set {PREFIX} to LLVM's prefix")
    });
    PathBuf::from(String::from_utf8(output.stdout).expect("llvm-config prints a path").trim())
}

/// `dsu-c++` is `dsu-cc` under another name: cargo takes no `+` in the name of a program. Made before `dsu-cc` exists,
/// so a link and not a copy.
fn name_the_cxx_wrapper(profile: &Path) {
    let link = profile.join("dsu-c++");
    if std::fs::read_link(&link).is_ok_and(|target| target.as_os_str() == "dsu-cc") {
        return;
    }
    if let Err(error) = std::os::unix::fs::symlink("dsu-cc", &link) {
        println!("cargo::warning=cannot make `{}`: {error}", link.display());
    }
}

fn archive_beside_the_wrapper(source: &str, name: &str, unwound: bool, out: &Path, profile: &Path) {
    let mut build = cc::Build::new();
    build.file(source).pic(true).debug(false).opt_level(2).cargo_metadata(false);
    if unwound {
        build.flag("-fexceptions");
    }
    build.compile(name);
    let archive = format!("lib{name}.a");
    if let Err(error) = std::fs::copy(out.join(&archive), profile.join(&archive)) {
        println!("cargo::warning=cannot write `{archive}` to `{}`: {error}", profile.display());
    }
}
