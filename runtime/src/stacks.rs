//! Stacks that the program switches to by itself (coroutines), and reading stacks that may vanish meanwhile.

use core::sync::atomic::{AtomicUsize, Ordering};

use crate::callback::Callback;
use crate::sys::range::Range;
use crate::sys::tasks;

/// The words of memory that may vanish meanwhile.
pub(crate) fn each_word(memory: Range, mut each: impl FnMut(usize)) -> Option<()> {
    const WORDS: usize = 256;
    /// No stack is deeper: something else is mapped there.
    const MAX: usize = 64 << 20;
    if memory.end.checked_sub(memory.start)? > MAX {
        return None;
    }
    let mut at = memory.start.next_multiple_of(size_of::<usize>());
    let mut buffer = [0usize; WORDS];
    while at < memory.end {
        let words = ((memory.end - at) / size_of::<usize>()).min(WORDS);
        let part = buffer.get_mut(..words).filter(|part| !part.is_empty());
        let Some(part) = part else { break };
        tasks::copy(at, part)?;
        part.iter().for_each(|word| each(*word));
        at += size_of_val(part);
    }
    Some(())
}
/// Stacks that the program switches to by itself.
const STACKS: usize = 4096;

/// See [`STACKS`]; entries are start and size, 0 for a free one.
#[repr(C)]
pub(crate) struct Stacks {
    entries: [[AtomicUsize; 2]; STACKS],
    used: AtomicUsize,
    /// Stacks for which there was no room: then nothing is ever unmapped.
    pub(crate) lost: AtomicUsize,
}

impl Stacks {
    pub(crate) const fn new() -> Self {
        Self {
            entries: [const { [const { AtomicUsize::new(0) }; 2] }; STACKS],
            used: AtomicUsize::new(0),
            lost: AtomicUsize::new(0),
        }
    }

    pub(crate) fn add(&self, low: usize, size: usize) {
        let free = |[start, _]: &&[AtomicUsize; 2]| {
            start.compare_exchange(0, low, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        };
        match self.entries.iter().enumerate().find(|(_, entry)| free(entry)) {
            Some((at, [_, length])) => {
                length.store(size, Ordering::Release);
                self.used.fetch_max(at + 1, Ordering::AcqRel);
            }
            None => {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(crate) fn remove(&self, low: usize) {
        let known = self.entries.iter().find(|[start, _]| start.load(Ordering::Acquire) == low);
        if let Some([start, size]) = known {
            size.store(0, Ordering::Release);
            start.store(0, Ordering::Release);
        }
    }

    /// The first of those known at the moment that is the one looked for.
    pub(crate) fn find(&self, is_wanted: &mut dyn Callback<Range, bool>) -> Option<Range> {
        for [start, size] in self.entries.get(..self.used.load(Ordering::Acquire)).unwrap_or(&[]) {
            let (start, size) = (start.load(Ordering::Acquire), size.load(Ordering::Acquire));
            let stack = Range { start, end: start.saturating_add(size) };
            if start != 0 && size != 0 && is_wanted.call(stack) {
                return Some(stack);
            }
        }
        None
    }

    /// The one that holds an address.
    pub(crate) fn around(&self, sp: usize) -> Option<Range> {
        self.find(&mut |stack: Range| stack.holds(sp))
    }
}
