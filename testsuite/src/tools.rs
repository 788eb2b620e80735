//! Where the tools under test are: `$DSU_TOOLS`, or `target/release` of the workspace.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// What `cargo build --release` leaves and the tests need.
pub const FILES: [&str; 6] = ["dsu-cc", "dsu-c++", "patchgen", "dsuctl", "libdsu_pass.so", "libdsu.a"];

/// The clang whose builds are the measure of ours.
pub const PLAIN_CC: &str = "clang-19";
/// The same for C++.
pub const PLAIN_CXX: &str = "clang++-19";

/// The tools, all found.
#[derive(Debug, Clone)]
pub struct Tools {
    /// Directory of all of [`FILES`].
    pub dir: PathBuf,
    /// Directory with `dsu.h`.
    pub include: PathBuf,
}

impl Tools {
    /// Looks for the tools.
    ///
    /// # Errors
    /// When one is missing, which a build cures.
    pub fn find() -> Result<Self> {
        let root = workspace();
        let dir = std::env::var_os("DSU_TOOLS").map_or_else(|| root.join("target/release"), PathBuf::from);
        for file in FILES {
            if !dir.join(file).exists() {
                bail!("`{}` is missing; run `cargo build --release`, or set `DSU_TOOLS`", dir.join(file).display());
            }
        }
        Ok(Self { dir, include: root.join("runtime/include") })
    }

    /// Path of one tool.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// `PATH` with the tools first.
    pub fn search_path(&self) -> String {
        format!("{}:{}", self.dir.display(), std::env::var("PATH").unwrap_or_default())
    }
}

/// Root of the workspace.
pub fn workspace() -> PathBuf {
    let testsuite = Path::new(env!("CARGO_MANIFEST_DIR"));
    testsuite.parent().expect("testsuite is a member of the workspace").to_path_buf()
}

/// Whether a test may be passed over for want of a tool or a right; CI sets `DSU_TEST_ALLOW_SKIP=0`.
pub fn skips_allowed() -> bool {
    std::env::var_os("DSU_TEST_ALLOW_SKIP").is_none_or(|value| value != "0")
}
