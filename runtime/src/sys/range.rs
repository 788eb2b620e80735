//! Runs of addresses.

use crate::callback::Callback;

/// Addresses from `start` up to `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Range {
    pub(crate) fn holds(&self, address: usize) -> bool {
        self.start <= address && address < self.end
    }
}

/// Who is told of ranges, one after the other.
pub(crate) type Visit<'v> = &'v mut dyn Callback<Range>;
