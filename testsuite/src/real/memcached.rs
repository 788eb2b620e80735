//! memcached from Debian's source, with its proxy in front: where CVE-2023-46852 is.
use std::fs;
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

/// The blanks that the fixed proxy takes for what they are.
const BLANKS: usize = 25;

/// memcached, and how it is built, started and asked.
pub const RECIPE: Recipe = Recipe {
    name: "memcached",
    fix: "CVE-2023-46852",
    make,
    program: "memcached",
    start: |executable, folder| Ok(Box::new(Proxied::start(executable, folder)?)),
    answers: [
        "VALUE k1 0 2 v1 VALUE k2 0 2 v2 END",
        "SERVER_ERROR malformed request SERVER_ERROR malformed request END",
    ],
};

/// Fetches the source.
pub fn fetch() -> Result<Debian> {
    Debian::fetch(RECIPE)
}

/// Configures an unpacked tree unless that has been done, and builds `memcached` in it.
pub fn make(tree: &Path, flavor: Flavor) -> Result<PathBuf> {
    let compiler = flavor.compiler()?;
    if !tree.join("Makefile").exists() {
        let mut configure = Command::new("./configure");
        configure.args(["--enable-proxy", "--disable-docs"]).env("CC", &compiler).current_dir(tree);
        flavor.prepare(&mut configure);
        run(&mut configure, &[0]).context("memcached cannot be configured")?;
    }
    let mut make = Command::new("make");
    // CFLAGS from outside: the proxy's own say -Werror, which clang's newer warnings turn into failures.
    make.args(["-j2", "CFLAGS=-O2 -pthread"]).arg(format!("CC={}", compiler.display())).current_dir(tree);
    // Its tests run a build with assertions, which need not count how often each line runs.
    make.arg("memcached_debug_CFLAGS=-DMEMCACHED_DEBUG");
    flavor.prepare(&mut make);
    run(&mut make, &[0]).context("memcached cannot be built")?;
    Ok(tree.join("memcached"))
}

/// A proxy with 4 worker threads, and the memcached behind it.
#[derive(Debug)]
pub struct Proxied {
    proxy: Server,
    address: SocketAddr,
    _backend: Server,
}

impl Proxied {
    /// Starts both and waits until a value gets through.
    pub fn start(executable: &Path, folder: &Path) -> Result<Self> {
        let backend_port = free_port()?;
        let backend = start_plain(executable, folder, "backend", backend_port, &["-t", "1"])?;
        let config = folder.join("proxy.lua");
        fs::write(&config, proxy_config(backend_port))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let option = format!("proxy_config={}", config.display());
        let proxy = start_plain(executable, folder, "proxy", address.port(), &["-t", "4", "-o", &option])?;
        let running = Self { proxy, address, _backend: backend };
        running.wait_for_backend()?;
        Ok(running)
    }

    fn ask(&self, request: &str, last_line: &str) -> Result<String> {
        let done = |reply: &str| reply.ends_with("\r\n") && reply.trim_end().ends_with(last_line);
        Ok(ask(self.address, request, done)?.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// The proxy answers before it has connected to its backend.
    fn wait_for_backend(&self) -> Result<()> {
        for _ in 0..100 {
            if self.ask("set k1 0 0 2\r\nv1\r\n", "")? == "STORED" {
                return self.ask("set k2 0 0 2\r\nv2\r\n", "STORED").map(drop);
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        anyhow::bail!("the proxy does not reach its backend; it said: {}", self.proxy.said())
    }
}

/// Starts a memcached on a loopback port.
pub fn start_plain(executable: &Path, folder: &Path, name: &str, port: u16, options: &[&str]) -> Result<Server> {
    let mut command = Command::new(executable);
    command.args(["-l", "127.0.0.1", "-U", "0", "-m", "64", "-p", &port.to_string()]).args(options);
    // memcached insists on being told so; for other users the option is without effect.
    command.args(["-u", "root"]).env("DSU_RUNTIME_DIR", folder).current_dir(folder);
    let mut server = Server::start(&mut command, folder.join(format!("{name}.log")))?;
    server.wait_for(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    Ok(server)
}

fn proxy_config(backend_port: u16) -> String {
    format!(
        "function mcp_config_pools(old)\n    \
             return mcp.pool({{ mcp.backend('b1', '127.0.0.1', {backend_port}) }})\n\
         end\n\
         function mcp_config_routes(pool)\n    \
             mcp.attach(mcp.CMD_ANY_STORAGE, function(r) return pool(r) end)\n\
         end\n"
    )
}

impl Live for Proxied {
    fn server(&mut self) -> &mut Server {
        &mut self.proxy
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn protocol(&self) -> Protocol {
        Protocol::Memcached
    }

    fn probe(&self) -> Result<String> {
        self.ask(&format!("get{}k1 k2\r\n", " ".repeat(BLANKS)), "END")
    }
}
