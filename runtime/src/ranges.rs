//! Sets of addresses: code that changes, code that is to go.

use crate::callback::Callback;
use crate::sys::Errno;
use crate::sys::memory::Table;
use crate::sys::range::{Range, Visit};

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
    pub(crate) fn collect(each: &mut dyn for<'v> Callback<Visit<'v>>) -> Result<Self, Errno> {
        let mut count = 0;
        each.call(&mut |_: Range| count += 1);
        let mut unordered = Table::with_capacity(count)?;
        let mut room = Ok(());
        each.call(&mut |range: Range| {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(list: &[(usize, usize)]) -> Ranges {
        let mut each = |visit: Visit<'_>| list.iter().for_each(|&(start, end)| visit.call(Range { start, end }));
        Ranges::collect(&mut each).expect("memory")
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
}
