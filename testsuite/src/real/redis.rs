//! redis from Debian's source: a main thread, io threads and background threads, and fixes that vendors ship.
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::command::run;
use super::compiler::Flavor;
use super::debian::{Debian, Recipe};
use super::load::Protocol;
use super::server::{Server, ask, free_port};
use super::subject::Live;

/// redis, and how it is built, started and asked.
pub const RECIPE: Recipe = Recipe {
    name: "redis",
    fix: "CVE-2024-51741",
    make,
    program: "src/redis-server",
    start: |executable, folder| Ok(Box::new(RunningRedis::start(executable, folder)?)),
    answers: ["+OK", "-ERR Error in ACL SETUSER modifier '%': Syntax error"],
};

/// Fetches the source.
pub fn fetch() -> Result<Debian> {
    Debian::fetch(RECIPE)
}

/// Builds `redis-server` in an unpacked tree.
pub fn make(tree: &Path, flavor: Flavor) -> Result<PathBuf> {
    run_make(tree, flavor, "src", &["redis-server"])?;
    Ok(tree.join("src/redis-server"))
}

/// Builds what redis' own tests need beside the server.
pub(super) fn make_clients(tree: &Path, flavor: Flavor) -> Result<()> {
    run_make(
        tree,
        flavor,
        "src",
        &["redis-cli", "redis-benchmark", "redis-check-aof", "redis-check-rdb", "redis-sentinel"],
    )
}

/// Makes [`make`] notice that sources of the libraries in `deps` have changed: redis' Makefile builds them once and
/// never looks again.
pub fn remake_libraries(tree: &Path, flavor: Flavor) -> Result<()> {
    let libraries = ["hiredis", "linenoise", "lua", "hdr_histogram"];
    let there = libraries.into_iter().filter(|library| tree.join("deps").join(library).is_dir());
    run_make(tree, flavor, "deps", &there.collect::<Vec<_>>())?;
    // What is linked with them does not depend on them there, either.
    std::fs::remove_file(tree.join("src/redis-server")).context("redis was not built before")
}

fn run_make(tree: &Path, flavor: Flavor, folder: &str, targets: &[&str]) -> Result<()> {
    let mut make = Command::new("make");
    make.args(["-C", folder, "-j2", "OPTIMIZATION=-O2", "DEBUG=", "MALLOC=libc", "BUILD_TLS=no"]).args(targets);
    make.arg("USE_SYSTEMD=no").arg(format!("CC={}", flavor.compiler()?.display())).current_dir(tree);
    // The build's own number is made of the time; with one and the same, only the change differs.
    make.env("SOURCE_DATE_EPOCH", "1");
    flavor.prepare(&mut make);
    run(&mut make, &[0]).context("redis cannot be built").map(drop)
}

/// A redis that runs.
#[derive(Debug)]
pub struct RunningRedis {
    server: Server,
    address: SocketAddr,
}

impl RunningRedis {
    /// Starts it with 2 io threads; it has 3 more of its own.
    pub fn start(executable: &Path, folder: &Path) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut command = Command::new(executable);
        command.args(["--bind", "127.0.0.1", "--port", &address.port().to_string(), "--io-threads", "2"]);
        command.args(["--io-threads-do-reads", "yes"]);
        command.args(["--save", "", "--dir"]).arg(folder).env("DSU_RUNTIME_DIR", folder);
        let mut server = Server::start(&mut command, folder.join("redis.log"))?;
        server.wait_for(address)?;
        Ok(Self { server, address })
    }

    /// One inline command, one reply line.
    pub fn ask(&self, request: &str) -> Result<String> {
        let reply = ask(self.address, &format!("{request}\r\n"), |reply| reply.ends_with("\r\n"))?;
        Ok(reply.trim_end().to_owned())
    }
}

impl Live for RunningRedis {
    fn server(&mut self) -> &mut Server {
        &mut self.server
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn protocol(&self) -> Protocol {
        Protocol::Redis
    }

    fn probe(&self) -> Result<String> {
        self.ask("ACL SETUSER bob %")
    }
}
