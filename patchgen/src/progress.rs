//! Says what takes long, on a terminal only, and only after a second.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// A line on stderr that names the step under way.
#[derive(Debug)]
pub struct Progress {
    started: Instant,
    terminal: bool,
}

impl Default for Progress {
    fn default() -> Self {
        Self { started: Instant::now(), terminal: std::io::stderr().is_terminal() }
    }
}

impl Progress {
    /// A step begins.
    pub fn step(&self, what: &str) {
        if self.terminal && self.started.elapsed() > Duration::from_secs(1) {
            // Nobody reads a terminal that cannot be written to.
            let _ = write!(std::io::stderr(), "\r\x1b[K{what} ({:.0?})", self.started.elapsed());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
