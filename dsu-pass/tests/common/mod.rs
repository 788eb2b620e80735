//! Compiles with and without the plugin, and reads what came out.
#![expect(dead_code, reason = "each test file uses its part")]

pub(crate) mod code;
pub(crate) mod object;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// A folder to compile in, removed when dropped.
pub(crate) struct Bench {
    dir: tempfile::TempDir,
}

/// Levels that the plugin must cope with.
pub(crate) const LEVELS: [&str; 6] = ["-O0", "-O1", "-O2", "-O3", "-Os", "-Oz"];

/// The plugin, built for this profile once per test program: it is a package of its own.
fn plugin() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let tests = std::env::current_exe().expect("a test knows its own path");
        let built = tests.ancestors().nth(2).expect("tests are in `target/PROFILE/deps`");
        let name = built.file_name().and_then(|name| name.to_str()).expect("a profile has a name");
        let profile = if name == "debug" { "dev" } else { name };
        let target = built.parent().expect("`target/PROFILE` has a parent");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "-p", "dsu-plugin", "--profile", profile, "--target-dir"]).arg(target);
        cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(cargo.status().expect("cargo runs").success(), "`dsu-plugin` does not build");
        built.join("libdsu_pass.so")
    })
}

/// A source of `tests/inputs`.
pub(crate) fn input(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inputs").join(name);
    assert!(path.exists(), "no `{}`", path.display());
    path
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a writable temporary directory") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file to compile.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("the folder is writable");
        path
    }

    /// Runs a tool in the folder; it must succeed.
    pub(crate) fn run(&self, tool: &str, args: &[&str]) -> String {
        let output = self.try_run(tool, args);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{tool} {}\nfailed: {out}{err}", args.join(" "));
        out.into_owned() + &err
    }

    /// Runs a tool in the folder.
    pub(crate) fn try_run(&self, tool: &str, args: &[&str]) -> Output {
        let output = Command::new(tool).args(args).current_dir(self.dir.path()).output();
        output.unwrap_or_else(|error| panic!("`{tool}` does not start ({error}); run ci/install-deps.sh"))
    }

    /// Compiles without the plugin.
    pub(crate) fn plain(&self, args: &[&str]) -> String {
        self.run(driver(args), args)
    }

    /// Compiles with the plugin, told `options`.
    pub(crate) fn dsu(&self, options: &str, args: &[&str]) -> String {
        let all = with_plugin(options, args);
        self.run(driver(args), &all.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Compiles with the plugin; it may fail.
    pub(crate) fn try_dsu(&self, options: &str, args: &[&str]) -> Output {
        let all = with_plugin(options, args);
        self.try_run(driver(args), &all.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The bytes of a file in the folder.
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("`{name}`: {error}"))
    }
}

fn driver(args: &[&str]) -> &'static str {
    if args.iter().any(|arg| arg.ends_with(".cpp")) { "clang++-19" } else { "clang-19" }
}

fn with_plugin(options: &str, args: &[&str]) -> Vec<String> {
    let plugin = plugin().to_str().expect("UTF-8").to_owned();
    let mut all: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
    all.extend(["-Xclang", "-load", "-Xclang"].map(str::to_owned));
    all.extend([plugin.clone(), format!("-fpass-plugin={plugin}")]);
    // For cc1 alone: the assembler's part of clang does not know the option.
    all.extend(["-Xclang", "-mllvm", "-Xclang"].map(str::to_owned));
    all.push(format!("-dsu={options}"));
    all
}

/// Runs `job` for each item on as many threads as the machine has processors.
pub(crate) fn in_parallel<T: Sync>(items: &[T], job: impl Fn(&T) + Sync) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers.min(items.len()) {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    job(item);
                }
            });
        }
    });
}
