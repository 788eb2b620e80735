//! What a person sees while an update waits for threads: a line on the terminal that is kept up to date; without a
//! terminal, one line once it takes longer than people are patient.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

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
    pub(crate) fn show(&mut self, elapsed: Duration, line: impl FnOnce() -> String) {
        if !self.bar.is_hidden() {
            self.bar.set_message(line());
            self.bar.tick();
        } else if !self.told && elapsed > PATIENCE {
            self.told = true;
            anstream::eprintln!("{}", line());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
