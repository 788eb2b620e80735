//! The load generator: connections that each send one request at a time and check every reply.
//!
//! Bounded in time, loopback only. A failed request is one with another reply than the only right one, or none.
mod connection;
mod protocol;
mod record;
mod report;
mod worker;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

pub use protocol::Protocol;
use record::Record;
pub use report::{Latency, Mark, Report};

/// What to send and for how long.
#[derive(Clone, Debug)]
pub struct Options {
    /// How requests and replies look.
    pub protocol: Protocol,
    /// Where to; loopback.
    pub address: SocketAddr,
    /// Connections, each with one request at a time.
    pub connections: usize,
    /// Threads that serve the connections.
    pub threads: usize,
    /// The longest it goes on.
    pub limit: Duration,
    /// Requests per second over all connections; 0 sends as fast as replies come.
    pub rate: u64,
    /// Bytes of each value.
    pub value_bytes: usize,
    /// Keys of each connection.
    pub keys: usize,
}

impl Options {
    /// Something moderate: 8 connections over 2 threads for at most a minute.
    pub fn new(protocol: Protocol, address: SocketAddr) -> Self {
        let limit = Duration::from_secs(60);
        Self { protocol, address, connections: 8, threads: 2, limit, rate: 0, value_bytes: 200, keys: 50 }
    }
}

/// A load that is running.
#[derive(Debug)]
pub struct Load {
    start: Instant,
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<Result<Record>>>,
    marks: Vec<(String, Instant)>,
    options: Options,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    answered: AtomicU64,
    failed: AtomicU64,
}

impl Load {
    /// Connects and begins.
    pub fn start(options: Options) -> Result<Self> {
        ensure!(options.address.ip().is_loopback(), "`{}` is not a loopback address", options.address);
        let threads = options.threads.clamp(1, options.connections.max(1));
        let start = Instant::now();
        let shared = Arc::new(Shared::default());
        let mut workers = Vec::new();
        for thread in 0..threads {
            let mut worker = worker::Worker::connect(&options, thread, threads, start)
                .with_context(|| format!("cannot put load on {}", options.address))?;
            let shared = Arc::clone(&shared);
            workers.push(std::thread::spawn(move || worker.run(&shared)));
        }
        Ok(Self { start, shared, workers, marks: Vec::new(), options })
    }

    /// Requests answered so far, whatever the answer.
    pub fn answered(&self) -> u64 {
        self.shared.answered.load(Ordering::Relaxed)
    }

    /// Requests failed so far.
    pub fn failed(&self) -> u64 {
        self.shared.failed.load(Ordering::Relaxed)
    }

    /// Remembers that something happened at `moment`; the report then tells the gaps around it.
    pub fn mark(&mut self, name: &str, moment: Instant) {
        self.marks.push((name.to_owned(), moment));
    }

    /// Ends it and tells how it went.
    pub fn stop(self) -> Result<Report> {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.wait()
    }

    /// Waits for the time limit and tells how it went.
    pub fn wait(self) -> Result<Report> {
        let mut total = Record::new(self.start);
        for worker in self.workers {
            let record = worker.join().map_err(|_| anyhow::anyhow!("a load thread panicked"))??;
            total.add(&record);
        }
        Ok(report::report(&self.options, &total, &self.marks, self.start.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::io::{BufRead, BufReader, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// Answers memcached's protocol, but nothing for `stall` after its `after`-th request.
    fn serve(stream: TcpStream, after: usize, stall: Duration) {
        let mut reader = BufReader::new(stream.try_clone().expect("a socket can be cloned"));
        let mut writer = stream;
        let mut values = HashMap::new();
        let mut line = String::new();
        for count in 0.. {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if count == after {
                std::thread::sleep(stall);
            }
            let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
            let reply = if words[0] == "set" {
                let mut value = String::new();
                reader.read_line(&mut value).expect("a value follows");
                values.insert(words[1].clone(), value);
                "STORED\r\n".to_owned()
            } else {
                let value = &values[&words[1]];
                format!("VALUE {} 0 {}\r\n{value}END\r\n", words[1], value.trim_end().len())
            };
            if writer.write_all(reply.as_bytes()).is_err() {
                return;
            }
        }
    }

    #[test]
    fn a_stall_shows_in_every_request_that_was_due_in_it() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
        let address = listener.local_addr().expect("it is bound");
        let stall = Duration::from_secs(1);
        let server = std::thread::spawn(move || {
            let (stream, _) = listener.accept().expect("the load connects");
            serve(stream, 100, stall);
        });
        let limit = Duration::from_secs(4);
        let options =
            Options { connections: 1, threads: 1, limit, rate: 200, ..Options::new(Protocol::Memcached, address) };
        let report = Load::start(options).and_then(Load::wait).expect("the server answers");
        server.join().expect("the server ends with the connection");
        assert_eq!((report.failed, &report.failures), (0, &Vec::new()));
        let latency = &report.latency_us;
        assert!((1_000_000..2_000_000).contains(&latency.max), "the request that met the stall: {latency:?}");
        // 200 of at most 800 requests were due within the stall; a generator that waits for a reply before it counts the
        // next request as due would see one slow request, and a p99 of less than a millisecond.
        assert!(latency.p99 > 900_000, "those due at its beginning waited nearly as long: {latency:?}");
        assert!(latency.p50 < 500_000, "most were due outside of it: {latency:?}");
    }
}
