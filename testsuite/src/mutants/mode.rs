//! Kinds of change.

use clap::ValueEnum;
use serde::Serialize;

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// One token.
    Tokens,
    /// Lines are inserted: nothing may be found.
    Lines,
    /// Two neighbours are exchanged: nothing may be found.
    Order,
}

impl Mode {
    /// Its name, for commands and tables.
    pub fn name(self) -> String {
        self.to_possible_value().expect("no mode is left out").get_name().to_owned()
    }
}
