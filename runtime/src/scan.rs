//! Stacks and what may stand on them. A word that could be a return address into a version counts as one, so what is
//! missed is never a frame, and what is mistaken for one only makes an update wait.

use core::sync::atomic::{AtomicUsize, Ordering};

use crate::sys::Errno;
use crate::sys::memory::Table;
use crate::sys::{process, tasks};
use crate::threads::Record;

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
pub(crate) type Visit<'v> = &'v mut dyn FnMut(Range);

/// Ranges in ascending order.
pub(crate) struct Ranges {
    table: Table<Range>,
    whole: Range,
}

impl Ranges {
    /// No range.
    pub(crate) const fn empty() -> Self {
        Self { table: Table::empty(), whole: Range { start: 0, end: 0 } }
    }

    /// Puts the ranges that `each` tells, the same each time, in order, and those that touch together.
    pub(crate) fn collect(each: &dyn Fn(Visit<'_>)) -> Result<Self, Errno> {
        let mut count = 0;
        each(&mut |_| count += 1);
        let mut unordered = Table::with_capacity(count)?;
        let mut room = Ok(());
        each(&mut |range| {
            if range.start < range.end && room.is_ok() {
                room = unordered.push(range);
            }
        });
        room?;
        sort(unordered.as_mut_slice());
        let mut table: Table<Range> = Table::with_capacity(unordered.as_slice().len())?;
        for range in unordered.as_slice() {
            match table.as_mut_slice().last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => table.push(*range)?,
            }
        }
        let (first, last) = (table.as_slice().first(), table.as_slice().last());
        let whole = Range { start: first.map_or(0, |r| r.start), end: last.map_or(0, |r| r.end) };
        Ok(Self { table, whole })
    }

    /// Whether one of them holds the address. A return address follows a call, so the first address of a range is
    /// none - but a pointer to the function is.
    pub(crate) fn hold(&self, address: usize) -> bool {
        if !self.whole.holds(address) {
            return false;
        }
        let ranges = self.table.as_slice();
        let after = ranges.partition_point(|range| range.start < address);
        after.checked_sub(1).and_then(|at| ranges.get(at)).is_some_and(|range| range.holds(address))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.table.as_slice().is_empty()
    }
}

/// Heap sort by start: the library's sorts may panic.
fn sort(ranges: &mut [Range]) {
    let start = |ranges: &[Range], at: usize| ranges.get(at).map_or(0, |range| range.start);
    let sink = |ranges: &mut [Range], mut at: usize, len: usize| {
        loop {
            let mut largest = at;
            for child in [2 * at + 1, 2 * at + 2] {
                if child < len && start(ranges, child) > start(ranges, largest) {
                    largest = child;
                }
            }
            if largest == at {
                return;
            }
            exchange(ranges, at, largest);
            at = largest;
        }
    };
    for at in (0..ranges.len() / 2).rev() {
        sink(ranges, at, ranges.len());
    }
    for len in (1..ranges.len()).rev() {
        exchange(ranges, 0, len);
        sink(ranges, 0, len);
    }
}

fn exchange(ranges: &mut [Range], a: usize, b: usize) {
    if let (Some(first), Some(second)) = (ranges.get(a).copied(), ranges.get(b).copied()) {
        for (at, range) in [(a, second), (b, first)] {
            if let Some(place) = ranges.get_mut(at) {
                *place = range;
            }
        }
    }
}

/// What a round asks of each thread.
pub(crate) struct Task {
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

impl Task {
    fn look(&self, word: usize, found: &mut Found) {
        if found.changed == 0 && self.changed.hold(word) {
            found.changed = word;
        }
        found.retired |= self.retired.hold(word);
    }

    /// The calling thread looks at its own stack from `sp` on, and moves if it can. True if it has nothing left to do.
    pub(crate) fn answer_self(&self, record: &Record, sp: usize, stacks: &Stacks) -> bool {
        let own =
            Range { start: record.stack_low.load(Ordering::Acquire), end: record.stack_high.load(Ordering::Acquire) };
        let mut found = Found::default();
        if own.holds(sp) {
            self.look_here(sp, own.end, &mut found);
        } else if let Some(other) = stacks.around(sp).filter(|_| own.end != 0) {
            // Where it left its own stack is not known, so all of that counts.
            self.look_here(sp, other.end, &mut found);
            self.look_here(own.start, own.end, &mut found);
        } else {
            record.elsewhere.store(u32::from(own.end != 0), Ordering::Relaxed);
            return false;
        }
        record.elsewhere.store(0, Ordering::Relaxed);
        record.inside.store(found.changed, Ordering::Relaxed);
        if found.changed != 0 {
            return false;
        }
        if record.word.load().generation() != self.goal {
            record.word.move_self(self.goal);
            record.since_ns.store(process::now_ns(), Ordering::Relaxed);
        }
        !found.retired
    }

    /// Looks at memory that the calling thread may read and that stays while it does.
    fn look_here(&self, from: usize, to: usize, found: &mut Found) {
        let mut at = from.next_multiple_of(size_of::<usize>());
        while at < to {
            // SAFETY: inside a stack that is mapped without holes (`Record::stack_low`, a registered stack): the one the
            // calling thread runs on, or one the program vouches for. Volatile, for it belongs to no Rust object.
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
    pub(crate) fn find(&self, is_wanted: &mut dyn FnMut(Range) -> bool) -> Option<Range> {
        for [start, size] in self.entries.get(..self.used.load(Ordering::Acquire)).unwrap_or(&[]) {
            let (start, size) = (start.load(Ordering::Acquire), size.load(Ordering::Acquire));
            let stack = Range { start, end: start.saturating_add(size) };
            if start != 0 && size != 0 && is_wanted(stack) {
                return Some(stack);
            }
        }
        None
    }

    /// The one that holds an address.
    pub(crate) fn around(&self, sp: usize) -> Option<Range> {
        self.find(&mut |stack| stack.holds(sp))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(list: &[(usize, usize)]) -> Ranges {
        let each = |visit: Visit<'_>| list.iter().for_each(|&(start, end)| visit(Range { start, end }));
        Ranges::collect(&each).expect("memory")
    }

    #[test]
    fn ranges_hold_what_lies_in_them_in_whatever_order_they_came() {
        let list = ranges(&[(90, 95), (10, 20), (50, 60), (15, 30), (30, 40), (7, 7)]);
        for address in 0..100 {
            let inside =
                (10 < address && address < 40) || (50 < address && address < 60) || (90 < address && address < 95);
            assert_eq!(list.hold(address), inside, "{address}");
        }
        assert!(!ranges(&[]).hold(0) && ranges(&[(3, 3)]).is_empty());
    }

    #[test]
    fn sorting_agrees_with_the_library() {
        let mut state = 1usize;
        for len in 0..200 {
            let mut list: Vec<Range> = (0..len)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    Range { start: state >> 40, end: 0 }
                })
                .collect();
            let mut expected = list.clone();
            expected.sort_by_key(|range| range.start);
            sort(&mut list);
            let starts = |list: &[Range]| list.iter().map(|range| range.start).collect::<Vec<_>>();
            assert_eq!(starts(&list), starts(&expected));
        }
    }

    #[test]
    fn a_frame_is_found_in_memory_and_nothing_where_memory_ends() {
        let task = Task { goal: 1, changed: ranges(&[(0x1000, 0x2000)]), retired: ranges(&[(0x5000, 0x6000)]) };
        let mut stack = [0usize; 1000];
        let whole = |stack: &[usize]| {
            let start = stack.as_ptr().addr();
            Range { start, end: start + size_of_val(stack) }
        };
        assert_eq!(task.look_at(&[whole(&stack)], 0), Some(Found::default()));
        assert_eq!(task.look_at(&[whole(&stack)], 0x1008), Some(Found { changed: 0x1008, retired: false }));
        stack[999] = 0x1001;
        stack[3] = 0x5fff;
        assert_eq!(task.look_at(&[whole(&stack)], 0), Some(Found { changed: 0x1001, retired: true }));
        assert_eq!(task.look_at(&[Range { start: 8, end: 64 }], 0), None);
    }
}
