//! What a person sees while an update waits for threads: a line on the terminal that is kept up to date; without a
//! terminal, one line once it takes longer than people are patient.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::follow::Follow;
use crate::threads;

/// When a line is written where no terminal is.
const PATIENCE: Duration = Duration::from_secs(5);

/// The line.
pub(crate) struct Progress {
    bar: ProgressBar,
    told: bool,
}

impl Progress {
    /// On stderr.
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.set_style(
            ProgressStyle::with_template("{spinner} {wide_msg}").expect("a template of indicatif's own words"),
        );
        Self { bar, told: false }
    }

    /// Brings it up to date.
    pub(crate) fn show(&mut self, follows: &[Follow]) {
        if !self.bar.is_hidden() {
            self.bar.set_message(line(follows));
            self.bar.tick();
        } else if !self.told && follows.iter().any(|follow| follow.elapsed() > PATIENCE) {
            self.told = true;
            anstream::eprintln!("{}", line(follows));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn line(follows: &[Follow]) -> String {
    let moving: Vec<&Follow> = follows.iter().filter(|follow| follow.end.is_none()).collect();
    let all: usize = moving.iter().map(|follow| threads::of(&follow.last).len()).sum();
    let waiting: Vec<_> = moving.iter().flat_map(|follow| threads::waiting(&follow.last)).collect();
    let elapsed = moving.iter().map(|follow| follow.elapsed()).max().unwrap_or_default();
    let processes = match follows.len() {
        1 => String::new(),
        many => format!("{} of {many} processes done, ", many - moving.len()),
    };
    let moved = threads::count(all - waiting.len(), all);
    let who = if waiting.is_empty() { String::new() } else { format!("; waiting for {}", threads::sentence(&waiting)) };
    format!("{processes}{moved} moved after {}{who}", threads::duration(elapsed))
}
