//! redis from Debian's source: a main thread, io threads and background threads, and fixes that vendors ship.
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::cache;
use super::command::run;
use super::compiler::Flavor;
use super::load::Protocol;
use super::server::{Server, ask, free_port};
use super::source::{self, Cut, Package};
use super::subject::{Live, Subject, Version};

/// The fix, by its name in the package's patch series.
pub const FIX: &str = "CVE-2024-51741";

/// redis before and after [`FIX`].
#[derive(Clone, Debug)]
pub struct Redis {
    package: Package,
}

impl Redis {
    /// Fetches the source.
    pub fn fetch() -> Result<Self> {
        Ok(Self { package: source::fetch("redis")? })
    }
}

/// Builds `redis-server` in an unpacked tree.
pub fn make(tree: &Path, flavor: Flavor) -> Result<PathBuf> {
    let mut make = Command::new("make");
    make.args(["-C", "src", "-j2", "redis-server", "OPTIMIZATION=-O2", "DEBUG=", "MALLOC=libc", "BUILD_TLS=no"]);
    make.arg("USE_SYSTEMD=no").arg(format!("CC={}", flavor.compiler()?.display())).current_dir(tree);
    // The build's own number is made of the time; with one and the same, only the change differs.
    make.env("SOURCE_DATE_EPOCH", "1");
    flavor.prepare(&mut make);
    run(&mut make, &[0]).context("redis cannot be built")?;
    Ok(tree.join("src/redis-server"))
}

impl Subject for Redis {
    fn name(&self) -> String {
        self.package.version().replace('_', " ")
    }

    fn fix(&self) -> String {
        FIX.to_owned()
    }

    fn build(&self, version: Version, flavor: Flavor, folder: &Path) -> Result<PathBuf> {
        // The same folder name for both versions: what differs is the change, not the place.
        let tree = folder.join("redis");
        let cut = if version == Version::Old { Cut::Before(FIX) } else { Cut::With(FIX) };
        self.package.unpack(cut, &tree)?;
        make(&tree, flavor)
    }

    fn cached_build(&self, version: Version, flavor: Flavor) -> Result<PathBuf> {
        let words = [self.package.version(), flavor.name().to_owned(), version.name().to_owned()];
        let key = cache::key(&flavor.inputs()?, &words.each_ref().map(String::as_str))?;
        let folder = cache::once(&format!("redis-{key}"), |folder| self.build(version, flavor, folder).map(drop))?;
        Ok(folder.join("redis/src/redis-server"))
    }

    fn start(&self, executable: &Path, folder: &Path) -> Result<Box<dyn Live>> {
        Ok(Box::new(RunningRedis::start(executable, folder)?))
    }

    fn answer(&self, version: Version) -> &'static str {
        match version {
            Version::Old => "+OK",
            Version::New => "-ERR Error in ACL SETUSER modifier '%': Syntax error",
        }
    }
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
