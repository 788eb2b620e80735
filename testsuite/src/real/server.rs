//! A started server: waited for, watched, and gone when it is dropped.
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// A child process with its output in a file.
#[derive(Debug)]
pub struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts the command, its output going to `log`.
    pub fn start(command: &mut Command, log: PathBuf) -> Result<Self> {
        let output = File::create(&log).with_context(|| format!("cannot create `{}`", log.display()))?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self { child, log })
    }

    /// Waits until something accepts connections at `address`.
    pub fn wait_for(&mut self, address: SocketAddr) -> Result<()> {
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(address).is_err() {
            self.check_alive()?;
            ensure!(Instant::now() < until, "nobody listens on {address} after 10 s; it said: {}", self.said());
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// An error when the process has ended, with what it said last.
    pub fn check_alive(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("process {} ended with {status}; it said: {}", self.child.id(), self.said());
        }
        Ok(())
    }

    /// What it wrote so far.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in KiB.
    pub fn resident_kib(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).context("the process is gone")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS line")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already ended is as good; there is nobody to tell otherwise.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback port nobody listens on now.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Sends one request on a connection of its own; reads until `done` says the reply is whole.
pub fn ask(address: SocketAddr, request: &str, done: impl Fn(&str) -> bool) -> Result<String> {
    let mut socket = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    socket.write_all(request.as_bytes())?;
    let mut reply = Vec::new();
    let mut buffer = [0; 4096];
    while !done(&String::from_utf8_lossy(&reply)) {
        let got = socket.read(&mut buffer).with_context(|| format!("no whole reply to {request:?} from {address}"))?;
        ensure!(got > 0, "{address} closed the connection after {:?}", String::from_utf8_lossy(&reply));
        reply.extend_from_slice(&buffer[..got]);
    }
    Ok(String::from_utf8_lossy(&reply).into_owned())
}
