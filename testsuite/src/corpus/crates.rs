//! Releases of C libraries: each is linked with a driver (`drivers/NAME.c`) that does recorded work on command.
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{Running, Source};
use crate::case;
use crate::live::Live;
use crate::real::cache;
use crate::real::command::run;
use crate::real::compiler::Flavor;
use crate::real::skip::Skipped;
use crate::tools::workspace;

/// A library, and how to build it.
#[derive(Debug)]
pub struct Library {
    /// What it is called, and its driver.
    pub word: &'static str,
    /// The crate that carries it.
    pub package: &'static str,
    /// Releases of the crate; some carry the same sources as the one before.
    pub releases: &'static [&'static str],
    /// Folders of sources within the crate; a trailing `*` stands for any end of a name.
    folders: &'static [&'static str],
    /// Sources within the folders that are no part of the library.
    without: &'static [&'static str],
    /// If not empty, only these.
    only: &'static [&'static str],
    /// Folders of headers.
    headers: &'static [&'static str],
    /// As upstream does by default.
    flags: &'static [&'static str],
}

/// All of them.
pub const LIBRARIES: [Library; 5] = [
    Library {
        word: "lua",
        package: "lua-src",
        releases: &[
            "540.0.0", "541.0.0", "542.0.0", "543.0.0", "543.1.0", "544.0.0", "544.0.1", "546.0.0", "546.0.2",
            "547.0.0", "548.0.0", "548.1.0", "548.1.2", "550.0.0", "551.1.0",
        ],
        // The second is where Debian's package has them.
        folders: &["lua-5.4*", "src"],
        without: &["lua.c", "luac.c", "onelua.c", "ltests.c"],
        only: &[],
        headers: &["lua-5.4*", "src"],
        // Its hash seed is made of the time and of addresses; for work that can be compared it is a constant.
        flags: &["-O2", "-DLUA_USE_LINUX", "-DLUA_COMPAT_5_3", "-Dluai_makeseed(...)=1"],
    },
    Library {
        word: "zlib",
        package: "libz-sys",
        // zlib 1.2.8, 1.2.11, 1.2.13, 1.3, 1.3.1, 1.3.2.
        releases: &["1.0.0", "1.0.25", "1.1.9", "1.1.14", "1.1.15", "1.1.25"],
        folders: &["src/zlib", "src/zlib-*", "."],
        without: &[],
        only: &[
            "adler32.c",
            "compress.c",
            "crc32.c",
            "deflate.c",
            "infback.c",
            "inffast.c",
            "inflate.c",
            "inftrees.c",
            "trees.c",
            "uncompr.c",
            "zutil.c",
        ],
        headers: &["src/zlib", "src/zlib-*", "."],
        flags: &["-O3"],
    },
    Library {
        word: "zstd",
        package: "zstd-sys",
        releases: &[
            "1.4.10", "1.4.11", "1.4.12", "1.4.13", "1.4.15", "1.4.16", "1.4.18", "1.4.19", "1.4.20", "1.6.0", "1.6.2",
            "1.6.3", "2.0.7", "2.0.8", "2.0.10", "2.0.14",
        ],
        folders: &["zstd/lib/common", "zstd/lib/compress", "zstd/lib/decompress"],
        without: &[],
        only: &[],
        headers: &["zstd/lib", "zstd/lib/common"],
        flags: &["-O2", "-DZSTD_DISABLE_ASM=1", "-DXXH_NAMESPACE=ZSTD_"],
    },
    Library {
        word: "libuv",
        package: "libuv-sys2",
        releases: &[
            "1.30.1", "1.31.1", "1.32.1", "1.33.2", "1.34.4", "1.35.3", "1.36.1", "1.37.2", "1.38.1", "1.39.0",
            "1.40.1", "1.41.1", "1.42.0", "1.43.0", "1.44.2", "1.45.0", "1.46.1", "1.47.0", "1.48.0", "1.49.2",
            "1.50.0", "1.51.0", "1.52.1", "1.53.1",
        ],
        folders: &["libuv/src", "libuv/src/unix"],
        without: &[],
        only: &[
            "fs-poll.c",
            "idna.c",
            "inet.c",
            "random.c",
            "strscpy.c",
            "strtok.c",
            "thread-common.c",
            "threadpool.c",
            "timer.c",
            "uv-common.c",
            "uv-data-getter-setters.c",
            "version.c",
            "async.c",
            "core.c",
            "dl.c",
            "fs.c",
            "getaddrinfo.c",
            "getnameinfo.c",
            "loop-watcher.c",
            "loop.c",
            "pipe.c",
            "poll.c",
            "process.c",
            "signal.c",
            "stream.c",
            "tcp.c",
            "thread.c",
            "tty.c",
            "udp.c",
            "linux.c",
            "linux-core.c",
            "linux-inotify.c",
            "linux-syscalls.c",
            "epoll.c",
            "procfs-exepath.c",
            "proctitle.c",
            "random-devurandom.c",
            "random-getrandom.c",
            "random-sysctl.c",
            "random-sysctl-linux.c",
        ],
        headers: &["libuv/include", "libuv/src"],
        flags: &["-O2", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", "-D_LARGEFILE_SOURCE"],
    },
    Library {
        word: "sqlite",
        package: "libsqlite3-sys",
        releases: &["0.25.2", "0.26.0", "0.27.0", "0.28.0", "0.30.1", "0.31.0", "0.32.0", "0.34.0", "0.35.0"],
        folders: &["sqlite3"],
        without: &[],
        only: &["sqlite3.c"],
        headers: &["sqlite3"],
        flags: &["-O2", "-DSQLITE_OMIT_LOAD_EXTENSION", "-DSQLITE_THREADSAFE=1"],
    },
];

/// A library by its word.
pub fn library(word: &str) -> Result<&'static Library> {
    LIBRARIES.iter().find(|library| library.word == word).with_context(|| format!("no library `{word}`"))
}

/// Where the drivers are.
pub(super) fn drivers() -> PathBuf {
    workspace().join("testsuite/src/corpus/drivers")
}

impl Library {
    /// The sources of a release, relative to its crate, sorted.
    fn files(&self, root: &Path) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for folder in matching(root, self.folders)? {
            for entry in fs::read_dir(root.join(&folder))? {
                let name = entry?.file_name().to_string_lossy().into_owned();
                let chosen = self.only.is_empty() || self.only.contains(&&*name);
                if name.ends_with(".c") && chosen && !self.without.contains(&&*name) {
                    files.push(folder.join(name));
                }
            }
        }
        files.sort();
        ensure!(!files.is_empty(), "`{}` has no sources in {:?}", root.display(), self.folders);
        Ok(files)
    }
}

/// The folders below `root` that `patterns` name.
fn matching(root: &Path, patterns: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for pattern in patterns {
        let Some(begin) = pattern.strip_suffix('*') else {
            found.extend(root.join(pattern).is_dir().then(|| PathBuf::from(pattern)));
            continue;
        };
        let (parent, name) = begin.rsplit_once('/').unwrap_or(("", begin));
        let Ok(entries) = fs::read_dir(root.join(parent)) else { continue };
        for entry in entries {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(name) && entry.path().is_dir() && !name.is_empty() {
                found.push(Path::new(parent).join(entry.file_name()));
            }
        }
    }
    // `zlib-ng` is another library, and the pattern for `zlib-1.2.x` finds it too.
    found.retain(|folder| !folder.ends_with("zlib-ng"));
    Ok(found)
}

/// The folder of a release of a crate, fetched by cargo.
fn fetch(package: &str, release: &str) -> Result<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let sources = home.context("neither CARGO_HOME nor HOME is set")?.join("registry/src");
    if let Some(found) = unpacked(&sources, package, release) {
        return Ok(found);
    }
    // Fetches and unpacks the one package, without what it depends on.
    let mut info = Command::new("cargo");
    info.args(["info", "--quiet", &format!("{package}@{release}")]).current_dir(std::env::temp_dir());
    run(&mut info, &[0]).map_err(|error| Skipped(format!("cannot fetch the crate {package} {release}: {error:#}")))?;
    unpacked(&sources, package, release)
        .with_context(|| format!("cargo left no `{package}-{release}` in `{}`", sources.display()))
}

fn unpacked(sources: &Path, package: &str, release: &str) -> Option<PathBuf> {
    let name = format!("{package}-{release}");
    let registries = fs::read_dir(sources).ok()?.flatten();
    let crates = registries.filter_map(|registry| fs::read_dir(registry.path()).ok()).flatten().flatten();
    let is = |found: &str| found == name || found.starts_with(&format!("{name}+"));
    crates.into_iter().find(|entry| is(&entry.file_name().to_string_lossy())).map(|entry| entry.path())
}

impl Source for &Library {
    fn name(&self) -> &str {
        // Its versions are the crate's.
        self.package
    }

    fn versions(&self) -> Result<Vec<String>> {
        let mut seen = HashSet::new();
        let mut versions = Vec::new();
        for release in self.releases {
            let root = fetch(self.package, release)?;
            let files: Vec<PathBuf> = self.files(&root)?.iter().map(|file| root.join(file)).collect();
            if seen.insert(cache::key(&files, &[])?) {
                versions.push((*release).to_owned());
            }
        }
        Ok(versions)
    }

    fn build(&self, version: &str) -> Result<PathBuf> {
        let root = fetch(self.package, version)?;
        let mut inputs = Flavor::Armed.inputs()?;
        inputs.push(self.driver());
        let key = cache::key(&inputs, &[self.package, version])?;
        let folder = cache::once(&format!("corpus-{}-{key}", self.word), |folder| {
            let mut copy = Command::new("cp");
            run(copy.arg("-r").arg(&root).arg(folder.join("source")), &[0])?;
            self.make(&folder.join("source"), folder).with_context(|| format!("version {version}")).map(drop)
        })?;
        Ok(folder.join("driver"))
    }

    fn start(&self, executable: &Path, folder: &Path) -> Result<Box<dyn Running>> {
        Driver::start(executable, folder)
    }
}

impl Library {
    fn driver(&self) -> PathBuf {
        drivers().join(format!("{}.c", if self.word == "libuv" { "uv" } else { self.word }))
    }

    /// Compiles the sources in `root`, which is `folder` or below it, with the driver; the executable in `folder`.
    pub(super) fn make(&self, root: &Path, folder: &Path) -> Result<PathBuf> {
        fs::copy(self.driver(), folder.join("driver.c"))?;
        let source = root.strip_prefix(folder)?;
        let mut compile = Command::new(Flavor::Armed.compiler()?);
        compile.args(self.flags).args(["-w", "-pthread", "-I"]).arg(case::root().join("include"));
        for headers in matching(root, self.headers)? {
            compile.arg("-I").arg(Path::new(".").join(source).join(headers));
        }
        compile.args(self.files(root)?.iter().map(|file| source.join(file)));
        Flavor::Armed.prepare(&mut compile);
        compile.args(["driver.c", "-o", "driver", "-lm", "-ldl"]).current_dir(folder);
        run(&mut compile, &[0]).with_context(|| format!("{} cannot be built", self.word))?;
        Ok(folder.join("driver"))
    }
}

/// A program that works on command.
pub(super) struct Driver(Live);

impl Driver {
    /// Starts it.
    pub(super) fn start(executable: &Path, folder: &Path) -> Result<Box<dyn Running>> {
        let mut command = Command::new(executable);
        command.env("DSU_RUNTIME_DIR", folder).current_dir(folder);
        Ok(Box::new(Self(Live::start(&mut command, &folder.join("stderr.txt"))?)))
    }
}

impl Running for Driver {
    fn pid(&mut self) -> u32 {
        self.0.pid()
    }

    fn work(&mut self) -> Result<Vec<String>> {
        self.0.send("work")
    }
}
