//! One connection: its keys, the request under way, what has come back so far.
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;
use mio::net::TcpStream;

use super::protocol::{Protocol, Request};

/// How long a reply may take before the request counts as failed.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) socket: TcpStream,
    pub(super) last_reply: Option<Instant>,
    /// When the request under way was due; `None` while nothing is under way.
    pub(super) due: Option<Instant>,
    address: SocketAddr,
    protocol: Protocol,
    name: usize,
    /// How often each key has been set; 0 means never.
    versions: Vec<u64>,
    turn: usize,
    value_bytes: usize,
    value: String,
    send: String,
    expect: String,
    got: Vec<u8>,
}

/// What reading brought.
pub(super) enum Reply {
    Incomplete,
    Right,
    Wrong(String),
}

impl Connection {
    pub(super) fn open(name: usize, options: &super::Options) -> Result<Self> {
        Ok(Self {
            socket: connect(options.address)?,
            last_reply: None,
            due: None,
            address: options.address,
            protocol: options.protocol,
            name,
            versions: vec![0; options.keys.max(1)],
            turn: 0,
            value_bytes: options.value_bytes,
            value: String::new(),
            send: String::new(),
            expect: String::new(),
            got: Vec::new(),
        })
    }

    /// Sends the next request: each fifth a set, and a set for a key that has no value yet.
    pub(super) fn send_next(&mut self, due: Instant) -> std::io::Result<()> {
        self.turn += 1;
        // A step that is coprime to most counts, so that keys are not met in order.
        let index = self.turn.wrapping_mul(7919) % self.versions.len();
        let store = self.versions[index] == 0 || self.turn.is_multiple_of(5);
        if store {
            self.versions[index] += 1;
        }
        let key = format!("load-{}-{index}", self.name);
        make_value(&key, self.versions[index], self.value_bytes, &mut self.value);
        self.protocol.write(Request { store, key: &key, value: &self.value }, &mut self.send, &mut self.expect);
        self.got.clear();
        self.due = Some(due);
        // A request is far smaller than an idle connection's send buffer.
        self.socket.write_all(self.send.as_bytes())
    }

    /// Reads what is there.
    pub(super) fn receive(&mut self) -> Reply {
        let mut buffer = [0; 16384];
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => return Reply::Wrong("the connection was closed".to_owned()),
                Ok(count) => self.got.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return self.judge(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Reply::Wrong(error.to_string()),
            }
            if self.got.len() >= self.expect.len() {
                return self.judge();
            }
        }
    }

    fn judge(&self) -> Reply {
        // Between requests nothing may come.
        let expect = if self.due.is_some() { self.expect.as_bytes() } else { &[] };
        if self.due.is_some() && self.got == expect {
            Reply::Right
        } else if expect.starts_with(&self.got) {
            Reply::Incomplete
        } else {
            let first = |text: &str| text.lines().next().unwrap_or_default().chars().take(80).collect::<String>();
            let got = String::from_utf8_lossy(&self.got);
            Reply::Wrong(format!("`{}` got `{}`, not `{}`", first(&self.send), first(&got), first(&self.expect)))
        }
    }

    /// After a failure the stream may be anywhere; a new connection is not. Whether the last set took is unknown.
    pub(super) fn reopen(&mut self) -> Result<()> {
        self.socket = connect(self.address)?;
        self.versions.fill(0);
        self.due = None;
        self.got.clear();
        Ok(())
    }
}

fn connect(address: SocketAddr) -> Result<TcpStream> {
    // Blocking until connected, so that nothing of it is in the measurement.
    let socket = std::net::TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_nodelay(true)?;
    socket.set_nonblocking(true)?;
    Ok(TcpStream::from_std(socket))
}

/// A value that belongs to one version of one key only, so that a stale or foreign one is noticed.
fn make_value(key: &str, version: u64, bytes: usize, value: &mut String) {
    use std::fmt::Write;
    value.clear();
    write!(value, "{key}:{version}:").expect("writing to a String cannot fail");
    while value.len() < bytes {
        value.push(char::from(b'a' + u8::try_from(value.len() % 26).expect("below 26")));
    }
}
