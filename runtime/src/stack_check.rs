//! What may stand on stacks. A word that could be a return address into a version counts as one, so what is missed is
//! never a frame, and what is mistaken for one only makes an update wait.

use crate::ranges::Ranges;
use crate::stacks::each_word;
use crate::sys::range::Range;

/// What an epoch asks of each thread.
pub(crate) struct StackCheck {
    /// Generation that threads move to.
    pub(crate) goal: u32,
    /// Code that changes: a thread with a frame in it does not move.
    pub(crate) changed: Ranges,
    /// Code that is to be unmapped: a thread with a frame in it keeps it.
    pub(crate) retired: Ranges,
}

/// What a look at a stack found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// An address in changed code.
    pub(crate) changed: usize,
    /// Something in retired code.
    pub(crate) retired: bool,
}

impl StackCheck {
    fn look(&self, word: usize, found: &mut Found) {
        if found.changed == 0 && self.changed.hold(word) {
            found.changed = word;
        }
        found.retired |= self.retired.hold(word);
    }

    /// Looks at memory of the calling thread, as it is.
    ///
    /// # Safety
    /// All of it is mapped for reading, and stays so until this returns.
    pub(crate) unsafe fn look_here(&self, from: usize, to: usize, found: &mut Found) {
        let mut at = from.next_multiple_of(size_of::<usize>());
        while to.saturating_sub(at) >= size_of::<usize>() {
            // SAFETY: aligned, and wholly inside of memory that the caller says is mapped. Volatile, for it belongs to no
            // Rust object, and calls further up may change it.
            self.look(unsafe { (at as *const usize).read_volatile() }, found);
            at += size_of::<usize>();
        }
    }

    /// Looks at another thread's stacks, which may vanish meanwhile: then `None`; and at where it goes on.
    pub(crate) fn look_at(&self, stacks: &[Range], pc: usize) -> Option<Found> {
        let mut found = Found::default();
        self.look(pc, &mut found);
        for stack in stacks {
            each_word(*stack, |word| self.look(word, &mut found))?;
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::range::Visit;

    fn ranges(list: &[(usize, usize)]) -> Ranges {
        let mut each = |visit: Visit<'_>| list.iter().for_each(|&(start, end)| visit.call(Range { start, end }));
        Ranges::collect(&mut each).expect("memory")
    }

    #[test]
    fn a_frame_is_found_in_memory_and_nothing_where_memory_ends() {
        let check = StackCheck { goal: 1, changed: ranges(&[(0x1000, 0x2000)]), retired: ranges(&[(0x5000, 0x6000)]) };
        let mut stack = [0usize; 1000];
        let whole = |stack: &[usize]| {
            let start = stack.as_ptr().addr();
            Range { start, end: start + size_of_val(stack) }
        };
        assert_eq!(check.look_at(&[whole(&stack)], 0), Some(Found::default()));
        assert_eq!(check.look_at(&[whole(&stack)], 0x1008), Some(Found { changed: 0x1008, retired: false }));
        stack[999] = 0x1001;
        stack[3] = 0x5fff;
        assert_eq!(check.look_at(&[whole(&stack)], 0), Some(Found { changed: 0x1001, retired: true }));
        assert_eq!(check.look_at(&[Range { start: 8, end: 64 }], 0), None);
    }
}
