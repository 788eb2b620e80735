//! One thread and its connections.
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use mio::{Events, Interest, Poll, Token};

use super::connection::{Connection, PATIENCE, Reply};
use super::record::Record;
use super::{Options, Shared};

pub(super) struct Worker {
    poll: Poll,
    connections: Vec<Connection>,
    record: Record,
    until: Instant,
    /// Time between two requests of one connection; zero sends as soon as the reply is there.
    pace: Duration,
    next_due: Vec<Instant>,
}

impl Worker {
    /// Opens this thread's share of the connections.
    pub(super) fn connect(options: &Options, thread: usize, threads: usize, start: Instant) -> Result<Self> {
        let poll = Poll::new()?;
        let mut connections = Vec::new();
        for name in (thread..options.connections).step_by(threads) {
            let mut connection = Connection::open(name, options)?;
            let token = Token(connections.len());
            poll.registry().register(&mut connection.socket, token, Interest::READABLE)?;
            connections.push(connection);
        }
        let pace = match options.rate {
            0 => Duration::ZERO,
            rate => Duration::from_secs(1).mul_f64(options.connections as f64 / rate as f64),
        };
        // Spread over one pace, so that paced connections do not all fire at once.
        let share = |index: usize| pace.mul_f64(index as f64 / connections.len().max(1) as f64);
        let next_due = (0..connections.len()).map(|index| start + share(index)).collect();
        Ok(Self { poll, connections, record: Record::new(start), until: start + options.limit, pace, next_due })
    }

    pub(super) fn run(&mut self, shared: &Shared) -> Result<Record> {
        let mut events = Events::with_capacity(256);
        let mut next_check = Instant::now();
        while Instant::now() < self.until && !shared.stop.load(Ordering::Relaxed) {
            let sleep = self.send_due(shared)?;
            if let Err(error) = self.poll.poll(&mut events, Some(sleep)) {
                anyhow::ensure!(error.kind() == std::io::ErrorKind::Interrupted, "cannot wait for replies: {error}");
            }
            for event in &events {
                self.take_reply(event.token().0, shared)?;
            }
            if next_check <= Instant::now() {
                self.give_up_on_late(shared)?;
                next_check = Instant::now() + Duration::from_millis(100);
            }
        }
        Ok(std::mem::replace(&mut self.record, Record::new(self.until)))
    }

    /// Sends on every connection that is due; tells how long there is nothing to send.
    fn send_due(&mut self, shared: &Shared) -> Result<Duration> {
        let now = Instant::now();
        let mut sleep = Duration::from_millis(100);
        for index in 0..self.connections.len() {
            if self.connections[index].due.is_some() {
                continue;
            }
            let due = self.next_due[index];
            if due > now {
                sleep = sleep.min(due - now);
                continue;
            }
            let due = if self.pace.is_zero() { now } else { due };
            self.next_due[index] = due + self.pace;
            if let Err(error) = self.connections[index].send_next(due) {
                self.fail(index, format!("cannot send: {error}"), shared)?;
            }
        }
        Ok(sleep)
    }

    fn take_reply(&mut self, index: usize, shared: &Shared) -> Result<()> {
        let connection = &mut self.connections[index];
        match connection.receive() {
            Reply::Incomplete => Ok(()),
            Reply::Wrong(what) => self.fail(index, what, shared),
            Reply::Right => {
                let now = Instant::now();
                let due = connection.due.take().unwrap_or(now);
                self.record.reply(now, due, connection.last_reply.replace(now));
                shared.answered.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    fn give_up_on_late(&mut self, shared: &Shared) -> Result<()> {
        for index in 0..self.connections.len() {
            if self.connections[index].due.is_some_and(|due| due.elapsed() > PATIENCE) {
                self.fail(index, format!("no reply within {} s", PATIENCE.as_secs()), shared)?;
            }
        }
        Ok(())
    }

    fn fail(&mut self, index: usize, what: String, shared: &Shared) -> Result<()> {
        self.record.failure(what.clone());
        shared.failed.fetch_add(1, Ordering::Relaxed);
        let connection = &mut self.connections[index];
        connection
            .reopen()
            .with_context(|| format!("after a failed request ({what}) the server takes no connection"))?;
        self.poll.registry().register(&mut connection.socket, Token(index), Interest::READABLE)?;
        Ok(())
    }
}
