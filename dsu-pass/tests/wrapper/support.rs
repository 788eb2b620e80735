//! What the tests share: an installed toolchain, and runs of it that can be compared with clang's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The compiler everything is compared with.
pub(crate) const CLANG: &str = "clang-19";
/// Its C++ driver.
pub(crate) const CLANGXX: &str = "clang++-19";

/// A directory with everything a user installs, put together once for all tests of a file.
pub(crate) struct Toolchain {
    directory: PathBuf,
}

impl Toolchain {
    /// The toolchain.
    pub(crate) fn get() -> &'static Self {
        static INSTALLED: OnceLock<Toolchain> = OnceLock::new();
        INSTALLED.get_or_init(Self::install)
    }

    fn install() -> Self {
        // A fixed place, as nothing clears up after a static.
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("toolchain");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let built = Path::new(env!("CARGO_BIN_EXE_dsu-cc")).parent().expect("a file has a directory").to_path_buf();
        let runtime = build(&root, &built);
        let files = [
            (PathBuf::from(env!("CARGO_BIN_EXE_dsu-cc")), "dsu-cc"),
            (built.join("dsu-c++"), "dsu-c++"),
            (built.join("libdsu_pass.so"), "libdsu_pass.so"),
            (runtime, "libdsu.a"),
            (built.join("libdsu_inert.a"), "libdsu_inert.a"),
            (built.join("libdsu_waits.a"), "libdsu_waits.a"),
            (root.join("runtime/include/dsu.h"), "include/dsu.h"),
        ];
        std::fs::create_dir_all(directory.join("include")).expect("directory made");
        for (from, to) in files {
            let to = directory.join(to);
            // Beside an older copy that may be running, not over it.
            let _ = std::fs::remove_file(&to);
            std::fs::copy(&from, &to).unwrap_or_else(|e| panic!("`{}`: {e}", from.display()));
        }
        Self { directory }
    }

    /// Path of one of its files.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Path of one of its files, as text.
    pub(crate) fn name(&self, name: &str) -> String {
        self.file(name).to_str().expect("the workspace has a plain name").to_owned()
    }
}

/// Builds the plugin, which is a package of its own, and the runtime, which links only when
/// it is optimised. Gives the runtime.
fn build(root: &Path, built: &Path) -> PathBuf {
    let name = built.file_name().and_then(|name| name.to_str()).expect("a profile has a name");
    let profile = if name == "debug" { "dev" } else { name };
    let target = built.parent().expect("`target/PROFILE` has a parent");
    for (package, profile) in [("dsu-plugin", profile), ("dsu-runtime", "release")] {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "-p", package, "--lib", "--profile", profile, "--target-dir"]).arg(target);
        assert!(cargo.current_dir(root).status().expect("cargo runs").success(), "`{package}` does not build");
    }
    target.join("release/libdsu.a")
}

/// A command in `directory`, without the settings the tester's own environment may have.
pub(crate) fn command(program: &str, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory).stdin(Stdio::null()).env("LC_ALL", "C");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DSU_")) {
        command.env_remove(name);
    }
    command
}

/// Runs `program` with the words of `line`.
pub(crate) fn run(program: &str, line: &str, directory: &Path) -> Output {
    command(program, directory).args(line.split_whitespace()).output().unwrap_or_else(|e| panic!("`{program}`: {e}"))
}

/// Like [`run`], and it must succeed; gives its standard output.
pub(crate) fn succeed(program: &str, line: &str, directory: &Path) -> String {
    let output = run(program, line, directory);
    assert!(output.status.success(), "`{program} {line}` failed:\n{}", text(&output.stderr));
    text(&output.stdout)
}

/// Bytes as text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The files below `directory` with their contents, by relative name.
pub(crate) fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut open = vec![directory.to_path_buf()];
    while let Some(current) = open.pop() {
        for entry in std::fs::read_dir(&current).expect("readable directory") {
            let path = entry.expect("readable entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(directory).expect("below it").to_string_lossy().into_owned();
                out.insert(name, std::fs::read(&path).expect("readable file"));
            }
        }
    }
    out
}

/// Writes files into `directory`, making the directories they need.
pub(crate) fn write(directory: &Path, contents: &[(&str, &str)]) {
    for (name, content) in contents {
        let file = directory.join(name);
        std::fs::create_dir_all(file.parent().expect("a file has a directory")).expect("directory made");
        std::fs::write(file, content).expect("file written");
    }
}
