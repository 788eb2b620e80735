//! Requests and the one right reply to each.
use std::fmt::Write;

/// A text protocol the generator speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Protocol {
    /// memcached's ASCII protocol.
    Memcached,
    /// That of `examples/kvd`.
    Kvd,
    /// redis' own.
    Redis,
}

/// One request; a get says what it has to find.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub(super) store: bool,
    pub(super) key: &'a str,
    pub(super) value: &'a str,
}

impl Protocol {
    /// Writes the bytes to send and the bytes that must come back.
    pub(super) fn write(self, request: Request<'_>, send: &mut String, expect: &mut String) {
        let Request { store, key, value } = request;
        send.clear();
        expect.clear();
        let written = match (self, store) {
            (Self::Memcached, true) => {
                expect.push_str("STORED\r\n");
                write!(send, "set {key} 0 0 {}\r\n{value}\r\n", value.len())
            }
            (Self::Memcached, false) => write!(send, "get {key}\r\n")
                .and_then(|()| write!(expect, "VALUE {key} 0 {}\r\n{value}\r\nEND\r\n", value.len())),
            (Self::Kvd, true) => {
                expect.push_str("STORED\n");
                writeln!(send, "set {key} 0 {value}")
            }
            (Self::Redis, true) => {
                expect.push_str("+OK\r\n");
                let (key_length, length) = (key.len(), value.len());
                write!(send, "*3\r\n$3\r\nSET\r\n${key_length}\r\n{key}\r\n${length}\r\n{value}\r\n")
            }
            (Self::Redis, false) => write!(send, "*2\r\n$3\r\nGET\r\n${}\r\n{key}\r\n", key.len())
                .and_then(|()| write!(expect, "${}\r\n{value}\r\n", value.len())),
            (Self::Kvd, false) => writeln!(send, "get {key}").and_then(|()| writeln!(expect, "VALUE {value}")),
        };
        written.expect("writing to a String cannot fail");
    }
}
