//! Looks around: which clang, and where the rest of the toolchain is.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Language;
use super::error::Error;
use super::plan::Facts;
use crate::toolchain::{CLANG, MAJOR};

/// How clang is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clang {
    /// Its executable.
    pub(crate) program: PathBuf,
    /// Words that make it a compiler of the right language.
    pub(crate) mode: Vec<OsString>,
}

/// Finds what the wrapper needs to know about the machine.
///
/// # Errors
/// When the wrapper's own executable or working directory cannot be told.
pub(crate) fn gather() -> Result<Facts, Error> {
    let own = std::env::current_exe().and_then(|own| own.canonicalize()).map_err(Error::Lost)?;
    let home = own.parent().unwrap_or(Path::new("/")).to_path_buf();
    let beside = |name: &str| Some(home.join(name)).filter(|file| file.is_file());
    let includes = [home.join("include"), home.join("../include"), home.join("../../runtime/include")];
    Ok(Facts {
        plugin: beside("libdsu_pass.so"),
        runtime: beside("libdsu.a"),
        inert: beside("libdsu_inert.a"),
        waits: beside("libdsu_waits.a"),
        include: includes.iter().find(|dir| dir.join("dsu.h").is_file()).and_then(|dir| dir.canonicalize().ok()),
        directory: std::env::current_dir().map_err(Error::Lost)?,
        missing_input: None,
        home,
    })
}

/// The first of `files` that does not exist.
pub(crate) fn missing(files: &[OsString]) -> Option<String> {
    files.iter().find(|file| !Path::new(file).exists()).map(|file| file.to_string_lossy().into_owned())
}

/// Finds clang 19: `DSU_CLANG`, else `clang-19`, else a `clang` of that version, the latter two in PATH.
///
/// # Errors
/// When there is none.
pub(crate) fn find_clang(language: Language) -> Result<Clang, Error> {
    let program = match std::env::var_os("DSU_CLANG").filter(|name| !name.is_empty()) {
        Some(name) => {
            let named = PathBuf::from(name);
            in_path(&named).ok_or(Error::WrongClang(named))?
        }
        None => in_path(Path::new(CLANG))
            .or_else(|| in_path(Path::new("clang")).filter(|clang| is_right_version(clang)))
            .ok_or(Error::NoClang)?,
    };
    Ok(for_language(program, language))
}

/// The C++ driver is the C one under another name; where that name is missing, a flag does the same.
fn for_language(program: PathBuf, language: Language) -> Clang {
    if language == Language::C {
        return Clang { program, mode: Vec::new() };
    }
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let sibling = program.with_file_name(name.replacen("clang", "clang++", 1));
    if name.contains("clang++") {
        Clang { program, mode: Vec::new() }
    } else if name.contains("clang") && is_executable(&sibling) {
        Clang { program: sibling, mode: Vec::new() }
    } else {
        Clang { program, mode: vec!["--driver-mode=g++".into()] }
    }
}

fn in_path(name: &Path) -> Option<PathBuf> {
    if name.components().count() > 1 {
        return Some(name.to_path_buf()).filter(|file| is_executable(file));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

fn is_right_version(clang: &Path) -> bool {
    let asked = Command::new(clang).arg("-dumpversion").output();
    asked.is_ok_and(|answer| String::from_utf8_lossy(&answer.stdout).split('.').next() == Some(MAJOR))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory_with(names: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("temporary directory");
        for name in names {
            let file = dir.path().join(name);
            std::fs::write(&file, "").expect("written");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("made executable");
        }
        dir
    }

    #[test]
    fn the_cxx_driver_is_found_beside_or_made_by_a_flag() {
        let dir = directory_with(&["clang-19", "clang++-19", "clang", "mycc"]);
        let found = |name: &str| for_language(dir.path().join(name), Language::Cxx);
        assert_eq!(found("clang-19").program, dir.path().join("clang++-19"));
        assert!(found("clang-19").mode.is_empty());
        for lonely in ["clang", "mycc"] {
            assert_eq!(found(lonely).program, dir.path().join(lonely));
            assert_eq!(found(lonely).mode, ["--driver-mode=g++"]);
        }
        assert_eq!(for_language(dir.path().join("clang-19"), Language::C).program, dir.path().join("clang-19"));
    }
}
