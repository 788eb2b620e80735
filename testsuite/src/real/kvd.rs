//! `examples/kvd`: needs no network and builds in a second.
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::cache;
use super::command::run;
use super::compiler::Flavor;
use super::load::Protocol;
use super::server::{Server, ask, free_port};
use super::subject::{Live, Subject, Version};
use crate::tools::workspace;

/// The example server, updated from its first version to another.
#[derive(Clone, Copy, Debug)]
pub enum Kvd {
    /// v1 to v2: one function.
    V2,
    /// v1 to v3: several functions, among them new ones, and a new variable.
    V3,
}

impl Kvd {
    fn folder_of(self, version: Version) -> &'static str {
        match (self, version) {
            (_, Version::Old) => "v1",
            (Self::V2, Version::New) => "v2",
            (Self::V3, Version::New) => "v3",
        }
    }
}

impl Subject for Kvd {
    fn name(&self) -> String {
        "kvd v1".to_owned()
    }

    fn fix(&self) -> String {
        self.folder_of(Version::New).to_owned()
    }

    fn build(&self, version: Version, flavor: Flavor, folder: &Path) -> Result<PathBuf> {
        let executable = folder.join(self.folder_of(version)).join("kvd");
        let mut make = Command::new("make");
        make.args(["--silent", "-C"]).arg(workspace().join("examples/kvd")).arg(&executable);
        make.arg(format!("O={}", folder.display())).arg(format!("CC={}", flavor.compiler()?.display()));
        flavor.prepare(&mut make);
        run(&mut make, &[0])?;
        Ok(executable)
    }

    fn cached_build(&self, version: Version, flavor: Flavor) -> Result<PathBuf> {
        let mut inputs = flavor.inputs()?;
        for folder in ["examples/kvd/src", "examples/kvd/fixes"] {
            for entry in fs::read_dir(workspace().join(folder)).with_context(|| format!("cannot list `{folder}`"))? {
                inputs.push(entry?.path());
            }
        }
        inputs.sort();
        let key = cache::key(&inputs, &[flavor.name(), self.folder_of(version)])?;
        let folder = cache::once(&format!("kvd-{key}"), |folder| self.build(version, flavor, folder).map(drop))?;
        Ok(folder.join(self.folder_of(version)).join("kvd"))
    }

    fn start(&self, executable: &Path, folder: &Path) -> Result<Box<dyn Live>> {
        Ok(Box::new(RunningKvd::start(*self, executable, folder)?))
    }

    fn answer(&self, version: Version) -> &'static str {
        match (self, version) {
            (Self::V2, Version::Old) => "incr of `alice` by 1: VALUE 1",
            (Self::V2, Version::New) => "incr of `alice` by 1: ERROR value is not a number",
            (Self::V3, Version::Old) => "an expired entry is kept",
            (Self::V3, Version::New) => "an expired entry is dropped",
        }
    }
}

/// A kvd that runs.
#[derive(Debug)]
pub struct RunningKvd {
    kvd: Kvd,
    server: Server,
    address: SocketAddr,
}

impl RunningKvd {
    /// Starts it with 4 threads.
    pub fn start(kvd: Kvd, executable: &Path, folder: &Path) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut command = Command::new(executable);
        command.args(["-l", "127.0.0.1", "-t", "4", "-p", &address.port().to_string()]).env("DSU_RUNTIME_DIR", folder);
        let mut server = Server::start(&mut command, folder.join("kvd.log"))?;
        server.wait_for(address)?;
        Ok(Self { kvd, server, address })
    }

    /// One request line, one reply line.
    pub fn ask(&self, request: &str) -> Result<String> {
        let reply = ask(self.address, &format!("{request}\n"), |reply| reply.ends_with('\n'))?;
        Ok(reply.trim_end().to_owned())
    }

    /// A number out of the `stats` reply; 0 when that version does not tell it.
    pub fn count(&self, name: &str) -> Result<u64> {
        let stats = self.ask("stats")?;
        let number = stats.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        Ok(number.unwrap_or("0").parse()?)
    }

    /// An entry whose time is over is asked for, and only v3 lets go of it then. Entries that the
    /// load adds or drops meanwhile do not matter: `probe` reads what v3 counts.
    fn probe_expiry(&self) -> Result<String> {
        let before = self.count("reclaimed")?;
        self.ask("set short 5 lived")?;
        std::thread::sleep(std::time::Duration::from_millis(20));
        self.ask("get short")?;
        let kept = self.count("reclaimed")? == before;
        Ok(Kvd::V3.answer(if kept { Version::Old } else { Version::New }).to_owned())
    }
}

impl Live for RunningKvd {
    fn server(&mut self) -> &mut Server {
        &mut self.server
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn protocol(&self) -> Protocol {
        Protocol::Kvd
    }

    fn probe(&self) -> Result<String> {
        if matches!(self.kvd, Kvd::V3) {
            return self.probe_expiry();
        }
        self.ask("set name 0 alice")?;
        Ok(format!("incr of `alice` by 1: {}", self.ask("incr name 1")?))
    }
}
