//! Two versions of some code, instruction by instruction.

use super::Audit;
use crate::arch::x86_64::instruction::{Access, Next, Step, Steps};
use crate::build::image::TLS;

/// Two readers, and where in the old code which distance to the new one begins.
struct Walk<'c> {
    old: Steps<'c>,
    new: Steps<'c>,
    starts: (u64, u64),
    ends: (u64, u64),
    shifts: Vec<(u64, i64)>,
    /// A jump is longer in one of them.
    stretched: bool,
    /// Jumps inside the range: from where, to where in both.
    inner: Vec<(u64, u64, u64)>,
}

impl Walk<'_> {
    fn shift(&mut self, old: u64, new: u64) {
        let (from, to) = (old - self.starts.0, new - self.starts.1);
        let shift = to.wrapping_sub(from) as i64;
        if self.shifts.last().map_or(0, |s| s.1) != shift {
            self.shifts.push((from, shift));
        }
    }

    /// The place in the new code that one in the old code has become.
    fn moved(&self, from: u64) -> u64 {
        let shift = self.shifts.iter().rev().find(|(at, _)| *at <= from).map_or(0, |(_, shift)| *shift);
        from.wrapping_add_signed(shift)
    }
}

/// Do two instructions do the same, but for the addresses in them?
fn is_same(a: &Step, b: &Step) -> bool {
    a.shape == b.shape && a.is_jump == b.is_jump && (a.is_jump || a.length == b.length)
}

impl Audit<'_> {
    /// What differs in the code of two counterparts.
    pub(super) fn code(&mut self, old: usize, new: usize) -> Option<String> {
        let (before, after) = (&self.old.ranges[old], &self.new.ranges[new]);
        let mut walk = Walk {
            old: Steps::new(self.old.bytes_of(before), before.start),
            new: Steps::new(self.new.bytes_of(after), after.start),
            starts: (before.start, after.start),
            ends: (before.end, after.end),
            shifts: Vec::new(),
            stretched: false,
            inner: Vec::new(),
        };
        let (mut a, mut b) = (walk.old.step(), walk.new.step());
        loop {
            match (a, b) {
                (Next::End, Next::End) => break,
                // Bytes between the instructions: a table, perhaps.
                (Next::Invalid, _) | (_, Next::Invalid) => return self.data(old, new),
                (Next::Step(x), Next::Step(y)) if is_same(&x, &y) => {
                    walk.shift(x.at, y.at);
                    walk.stretched |= x.length != y.length;
                    if let Some(message) = self.step(old, &mut walk, &x, &y) {
                        return Some(message);
                    }
                    (a, b) = (walk.old.step(), walk.new.step());
                }
                (Next::Step(x), _) if x.is_padding => a = walk.old.step(),
                (_, Next::Step(y)) if y.is_padding => b = walk.new.step(),
                (Next::Step(x), _) => return Some(format!("has another instruction at {:#x}", x.at - walk.starts.0)),
                (_, Next::Step(y)) => return Some(format!("has more instructions, at {:#x}", y.at - walk.starts.1)),
            }
        }
        let wrong = walk.inner.iter().find(|(_, x, y)| walk.moved(*x) != *y).map(|(at, ..)| *at);
        if let Some(at) = wrong {
            return Some(format!("jumps to another place at {at:#x}"));
        }
        let (has_shifts, stretched) = (!walk.shifts.is_empty(), walk.stretched);
        if has_shifts {
            self.shifts.insert((old, new), walk.shifts);
        }
        self.frames(old, new, has_shifts || stretched)
    }

    /// What differs in the addresses of an instruction.
    fn step(&mut self, user: usize, walk: &mut Walk<'_>, a: &Step, b: &Step) -> Option<String> {
        let at = a.at - walk.starts.0;
        if let (Some((x, access)), Some((y, _))) = (a.target, b.target) {
            let inside = (walk.starts.0..walk.ends.0).contains(&x) && (walk.starts.1..walk.ends.1).contains(&y);
            if inside {
                walk.inner.push((at, x - walk.starts.0, y - walk.starts.1));
            } else if !self.leads_to_same(user, x, y, access) {
                let verb = match access {
                    Access::Branch => "jumps to or calls",
                    Access::Memory(_) => "reads or writes",
                    Access::Address => "takes the address of",
                };
                return Some(format!(
                    "{verb} something else at {at:#x}: {} instead of {}",
                    self.new.shown(y),
                    self.old.shown(x)
                ));
            }
        }
        let by_thread = a.by_thread && b.by_thread;
        if let (Some(x), Some(y)) = (a.displacement, b.displacement)
            && !self.is_same_number(user, x, y, by_thread)
        {
            return Some(format!("has another displacement at {at:#x}: {y:#x} instead of {x:#x}"));
        }
        if let (Some(x), Some(y)) = (a.immediate, b.immediate)
            && !self.is_same_number(user, x, y, false)
        {
            return Some(format!("has another number at {at:#x}: {y:#x} instead of {x:#x}"));
        }
        None
    }

    /// Is it one number, or one address?
    fn is_same_number(&mut self, user: usize, old: u64, new: u64, by_thread: bool) -> bool {
        let in_block = |size: u64, d: u64| (TLS..TLS + size).contains(&TLS.wrapping_add(size).wrapping_add(d));
        if by_thread && in_block(self.old.image.tls_size, old) {
            return self.by_thread(user, old, new);
        }
        let fixed = self.old.is_fixed && self.old.is_address(old) && self.new.is_address(new);
        if fixed {
            return self.leads_to_same(user, old, new, Access::Address);
        }
        old == new || (in_block(self.old.image.tls_size, old) && self.by_thread(user, old, new))
    }

    /// What differs in how to unwind two pieces of code.
    fn frames(&mut self, old: usize, new: usize, shifted: bool) -> Option<String> {
        let list = |side: &super::Side<'_>, index: usize| {
            let range = &side.ranges[index];
            let from = side.frames.partition_point(|f| f.start < range.start);
            let to = side.frames.partition_point(|f| f.start < range.end);
            let frames = side.frames[from..to].iter().cloned();
            frames
                .map(|f| {
                    (
                        f.start - range.start,
                        f.length,
                        f.head.to_vec(),
                        f.rules.map(<[u8]>::to_vec),
                        f.personality,
                        f.table,
                    )
                })
                .collect::<Vec<_>>()
        };
        let (before, after) = (list(&self.old, old), list(&self.new, new));
        if before.len() != after.len() {
            return Some("is unwound differently".into());
        }
        for (a, b) in before.into_iter().zip(after) {
            let same = shifted || (a.0 == b.0 && a.1 == b.1 && a.3[1] == b.3[1]);
            let address = |x: Option<u64>, y: Option<u64>, audit: &mut Self| match (x, y) {
                (Some(x), Some(y)) => audit.leads_to_same(old, x, y, Access::Address),
                (x, y) => x == y,
            };
            if !same || a.2 != b.2 || a.3[0] != b.3[0] || !address(a.4, b.4, self) || !address(a.5, b.5, self) {
                return Some("is unwound differently".into());
            }
        }
        None
    }
}
