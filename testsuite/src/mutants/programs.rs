//! The programs that are mutated: where their sources come from, and how each is built once, with every call of the
//! compiler written down.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::real::command::run;
use crate::real::compiler::Flavor;
use crate::real::source;

/// A program.
#[derive(Debug)]
pub struct Program {
    /// What it is called here.
    pub word: &'static str,
    /// Debian's package.
    package: &'static str,
    /// Builds an unpacked tree with this compiler; the executable.
    make: fn(&Path, &str) -> Result<PathBuf>,
}

/// All of them.
pub const PROGRAMS: [Program; 6] = [
    Program { word: "lua", package: "lua5.4", make: lua },
    Program { word: "zlib", package: "zlib", make: zlib },
    Program { word: "xz", package: "xz-utils", make: xz },
    Program { word: "memcached", package: "memcached", make: memcached },
    Program { word: "redis", package: "redis", make: redis },
    Program { word: "lighttpd", package: "lighttpd", make: lighttpd },
];

/// A program by its word.
///
/// # Errors
/// When there is none, with those there are.
pub fn program(word: &str) -> Result<&'static Program> {
    let all = || PROGRAMS.map(|program| program.word).join(", ");
    PROGRAMS
        .iter()
        .find(|program| program.word == word)
        .with_context(|| format!("no program `{word}`; there are: {}", all()))
}

impl Program {
    /// Unpacks the sources into `tree`, which must not exist, and builds them there with `compiler`; the executable.
    ///
    /// # Errors
    /// When there is no network, or the build fails.
    pub fn build(&self, tree: &Path, compiler: &str) -> Result<PathBuf> {
        source::fetch(self.package)?.unpack_plain(tree)?;
        (self.make)(tree, compiler).with_context(|| format!("{} cannot be built", self.word))
    }
}

/// Sets what must be the same in each compilation of a program.
pub(super) fn environment(command: &mut Command) {
    Flavor::Armed.prepare(command);
    command.env("SOURCE_DATE_EPOCH", "1");
}

fn build(tree: &Path, command: &mut Command) -> Result<()> {
    environment(command.current_dir(tree));
    run(command, &[0]).map(drop)
}

fn make(words: &[&str]) -> Command {
    let mut make = Command::new("make");
    make.arg("-j2").args(words);
    make
}

fn lua(tree: &Path, compiler: &str) -> Result<PathBuf> {
    let compiler = format!("CC={compiler} -std=gnu99");
    let words = ["-C", "src", &compiler, "SYSCFLAGS=-DLUA_USE_LINUX", "SYSLIBS=-Wl,-E -ldl", "lua"];
    build(tree, &mut make(&words))?;
    Ok(tree.join("src/lua"))
}

/// zlib, all of it, with its example.
fn zlib(tree: &Path, compiler: &str) -> Result<PathBuf> {
    build(tree, Command::new("./configure").arg("--static").env("CC", compiler))?;
    build(tree, &mut make(&["libz.a"]))?;
    let mut link = Command::new(compiler);
    link.args(["-O3", "-w", "-I.", "-o", "zlib-example", "test/example.c"]);
    build(tree, link.args(["-Wl,--whole-archive", "libz.a", "-Wl,--no-whole-archive"]))?;
    Ok(tree.join("zlib-example"))
}

fn xz(tree: &Path, compiler: &str) -> Result<PathBuf> {
    let mut configure = Command::new("./configure");
    configure.args(["--disable-shared", "--disable-nls", "--disable-doc", "--disable-scripts"]);
    build(tree, configure.env("CC", compiler))?;
    build(tree, &mut make(&["-C", "src/liblzma"]))?;
    build(tree, &mut make(&["-C", "src/xz", "xz"]))?;
    Ok(tree.join("src/xz/xz"))
}

fn memcached(tree: &Path, compiler: &str) -> Result<PathBuf> {
    let mut configure = Command::new("./configure");
    build(tree, configure.args(["--enable-proxy", "--disable-docs"]).env("CC", compiler))?;
    build(tree, &mut make(&["CFLAGS=-O2 -pthread", "memcached_debug_CFLAGS=-DMEMCACHED_DEBUG"]))?;
    Ok(tree.join("memcached"))
}

fn redis(tree: &Path, compiler: &str) -> Result<PathBuf> {
    let words = ["-C", "src", "OPTIMIZATION=-O2", "DEBUG=", "MALLOC=libc", "BUILD_TLS=no", "USE_SYSTEMD=no"];
    build(tree, make(&words).args([&format!("CC={compiler}"), "redis-server"]))?;
    Ok(tree.join("src/redis-server"))
}

/// The modules that lighttpd's build links into it.
const MODULES: [&str; 12] = [
    "mod_rewrite",
    "mod_redirect",
    "mod_access",
    "mod_alias",
    "mod_indexfile",
    "mod_staticfile",
    "mod_setenv",
    "mod_expire",
    "mod_simple_vhost",
    "mod_evhost",
    "mod_fastcgi",
    "mod_scgi",
];

fn lighttpd(tree: &Path, compiler: &str) -> Result<PathBuf> {
    let list: String = MODULES.iter().map(|module| format!("PLUGIN_INIT({module})\n")).collect();
    fs::write(tree.join("src/plugin-static.h"), list)?;
    let mut setup = Command::new("meson");
    setup.args(["setup", "made", "-Dbuild_static=true", "-Dbuildtype=plain", "-Dc_args=-O2"]);
    build(tree, setup.arg("-Dwith_zlib=disabled").env("CC", compiler))?;
    build(tree, Command::new("ninja").args(["-C", "made", "src/lighttpd"]))?;
    Ok(tree.join("made/src/lighttpd"))
}
