//! What the tests on real builds share.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn tools() -> Option<PathBuf> {
    let release = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release");
    let directory = std::env::var_os("DSU_TOOLS").map_or(release, PathBuf::from);
    let there = ["dsu-cc", "libdsu.a", "libdsu_pass.so"].iter().all(|f| directory.join(f).exists());
    let may_skip = std::env::var_os("DSU_TEST_ALLOW_SKIP").is_none_or(|v| v != "0");
    assert!(there || may_skip, "no tools in `{}`; run `cargo build --release`", directory.display());
    if !there {
        eprintln!("skipped: no tools in `{}`; run `cargo build --release`", directory.display());
    }
    there.then_some(directory)
}

/// A temporary place with builds in it.
pub(crate) struct Place {
    directory: tempfile::TempDir,
    pub(crate) tools: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Option<Self> {
        Some(Self { tools: tools()?, directory: tempfile::tempdir().expect("temporary directory") })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Builds `source` as `NAME/main.c`, the same name in every build.
    pub(crate) fn build_with(&self, name: &str, source: &str, arguments: &[&str]) -> PathBuf {
        let folder = self.path(name);
        fs::create_dir_all(&folder).expect("writable");
        fs::write(folder.join("main.c"), source).expect("writable");
        let compiler = Command::new(self.tools.join("dsu-cc"))
            .args(arguments)
            .args(["main.c", "-o", "app"])
            .current_dir(&folder)
            .output();
        let compiler = compiler.expect("dsu-cc runs");
        assert!(compiler.status.success(), "{}", String::from_utf8_lossy(&compiler.stderr));
        folder.join("app")
    }
}

/// Runs the tool under test.
pub(crate) fn patchgen(arguments: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_patchgen")).args(arguments).output().expect("patchgen runs")
}
