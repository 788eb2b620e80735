//! Do two addresses, one in each build, lead to counterparts?

use super::side::{Role, Side};
use super::{Audit, Constant, stem};
use crate::arch::x86_64::instruction::Access;
use crate::build::image::{Slot, TLS, kind};

/// How far behind or before a variable an address that is computed from it may be.
const NEAR: u64 = 4096;

/// Bytes of a word of the GOT.
const WORD: u64 = 8;

impl Audit<'_> {
    /// Is what is at `old` in the base the counterpart of what is at `new`? What has no name is compared later.
    pub(super) fn leads_to_same(&mut self, user: usize, old: u64, new: u64, access: Access) -> bool {
        let (Some(a), Some(b)) = (self.old.locate(old), self.new.locate(new)) else {
            return self.is_same_place_outside(old, new) || self.is_beside_counterparts(old, new, access);
        };
        let (before, after) = (&self.old.ranges[a], &self.new.ranges[b]);
        match (before.role, after.role) {
            (Role::Plt, Role::Plt) => {
                let words = self.old.plt_word(old).zip(self.new.plt_word(new));
                return match words {
                    Some((old, new)) => self.holds_same(user, old, new),
                    // The first entry, which calls the dynamic linker.
                    None => old - before.start == new - after.start,
                };
            }
            (Role::Got, Role::Got) => {
                let marked = self.has_common_marker(old, new);
                return marked || self.holds_same(user, old & !(WORD - 1), new & !(WORD - 1));
            }
            (Role::Plt, Role::Code) => return self.is_import_of(old, b),
            (Role::Code, Role::Plt) => return self.is_definition_of(a, new),
            (Role::Unwind | Role::Derived | Role::List, role) if before.role == role => {
                let names =
                    [&self.old.image.sections[before.section].name, &self.new.image.sections[after.section].name];
                return names[0] == names[1];
            }
            _ => {}
        }
        let same_role = before.role == after.role;
        match (before.is_named(), after.is_named()) {
            (true, true) => {
                self.are_counterparts(a, b, old, new)
                    || self.has_common_marker(old, new)
                    || (same_role && self.may_pair(a, b, old, new))
                    || self.is_beside_counterparts(old, new, access)
            }
            _ if self.has_common_marker(old, new) => true,
            (named_before, named_after)
                if named_before != named_after && self.is_beside_counterparts(old, new, access) =>
            {
                true
            }
            (false, false) if before.role == Role::Code && after.role == Role::Code => {
                self.are_counterparts(a, b, old, new) || self.may_pair(a, b, old, new)
            }
            (named_before, named_after) => {
                let constant = |side: &Side<'_>, index: usize| {
                    let range = &side.ranges[index];
                    range.role == Role::Data && !side.image.sections[range.section].writable
                };
                let both_unnamed = !named_before && !named_after;
                let both_constant = constant(&self.old, a) && constant(&self.new, b);
                if !both_unnamed && !both_constant {
                    return false;
                }
                let read = if let Access::Memory(size) = access { size } else { 0 };
                if matches!(before.role, Role::Zero) || matches!(after.role, Role::Zero) {
                    return same_role;
                }
                if matches!(before.role, Role::Code) || matches!(after.role, Role::Code) {
                    return false;
                }
                if self.seen.insert((old, new)) {
                    let from_table = access == Access::Branch;
                    let beside = self.is_end_of_counterparts(old, new);
                    self.constants.push_back(Constant { old, new, read, user, from_table, beside });
                }
                true
            }
        }
    }

    /// Counterparts, at the same place in them.
    fn are_counterparts(&self, a: usize, b: usize, old: u64, new: u64) -> bool {
        if !self.pairs.contains(&(a, b)) {
            return false;
        }
        let (from, to) = (old - self.old.ranges[a].start, new - self.new.ranges[b].start);
        let shifts = self.shifts.get(&(a, b)).map(Vec::as_slice).unwrap_or_default();
        let shift = shifts.iter().rev().find(|(at, _)| *at <= from).map_or(0, |(_, shift)| *shift);
        from.wrapping_add_signed(shift) == to
    }

    /// Neither has a counterpart yet, and nothing speaks against it: they are from now on.
    fn may_pair(&mut self, a: usize, b: usize, old: u64, new: u64) -> bool {
        if self.old_paired[a] || self.new_paired[b] {
            return false;
        }
        let (before, after) = (&self.old.ranges[a], &self.new.ranges[b]);
        let at_same = old - before.start == new - after.start;
        let sizes = before.size == 0 || after.size == 0 || before.size == after.size;
        let stems = |names: &[super::Key<'_>]| names.iter().map(|k| stem(k.name).to_owned()).collect::<Vec<_>>();
        let (x, y) = (stems(&before.names), stems(&after.names));
        let alike = (x.is_empty() && y.is_empty()) || x.iter().any(|name| y.contains(name));
        if at_same && sizes && alike {
            self.pair(a, b);
            return true;
        }
        false
    }

    fn has_common_marker(&self, old: u64, new: u64) -> bool {
        let (Some(a), Some(b)) = (self.old.markers.get(&old), self.new.markers.get(&new)) else { return false };
        a.iter().any(|name| b.contains(name))
    }

    /// Addresses that are in no section: numbers, or ends.
    fn is_same_place_outside(&self, old: u64, new: u64) -> bool {
        let both_outside = self.old.locate(old).is_none() && self.new.locate(new).is_none();
        if self.has_common_marker(old, new) || (both_outside && old == new) {
            return true;
        }
        let ends = |side: &Side<'_>, at: u64| -> Vec<String> {
            side.image.sections.iter().filter(|s| s.end() == at).map(|s| s.name.clone()).collect()
        };
        let (a, b) = (ends(&self.old, old), ends(&self.new, new));
        a.iter().any(|name| b.contains(name))
    }

    /// `&a[n]`, `a - 1`: an address that was computed from that of a neighbour.
    fn is_beside_counterparts(&self, old: u64, new: u64, access: Access) -> bool {
        if access != Access::Address {
            return false;
        }
        let at = self.old.ranges.partition_point(|r| r.start <= old);
        let near = at.saturating_sub(3)..(at + 2).min(self.old.ranges.len());
        near.into_iter().any(|a| {
            let range = &self.old.ranges[a];
            let close = old.abs_diff(range.start).min(old.abs_diff(range.end)) <= NEAR;
            let same_section = |section: usize, at: u64, side: &Side<'_>| {
                let section = &side.image.sections[section];
                (section.address.saturating_sub(NEAR)..=section.end()).contains(&at)
            };
            // The counterpart begins as far from the new address as this range from the old one.
            let start = new.wrapping_sub(old.wrapping_sub(range.start));
            let Some(b) = self.new.locate(start).filter(|_| range.is_named() && close) else { return false };
            self.new.ranges[b].start == start
                && self.pairs.contains(&(a, b))
                && same_section(range.section, old, &self.old)
                && same_section(self.new.ranges[b].section, new, &self.new)
        })
    }

    /// One past the end of two counterparts.
    fn is_end_of_counterparts(&self, old: u64, new: u64) -> bool {
        let before = |side: &Side<'_>, at: u64| {
            let index = side.ranges.partition_point(|r| r.start < at).checked_sub(1)?;
            let range = &side.ranges[index];
            (range.is_named() && range.size != 0 && range.end == at).then_some(index)
        };
        let ranges = before(&self.old, old).zip(before(&self.new, new));
        ranges.is_some_and(|pair| self.pairs.contains(&pair))
    }

    /// Do two words of the GOT hold the same?
    fn holds_same(&mut self, user: usize, old: u64, new: u64) -> bool {
        match (self.old.slot(old), self.new.slot(new)) {
            (Some(a), Some(b)) => self.fills_same(user, a, b),
            (None, None) => {
                let (Some(a), Some(b)) = (self.old.word(old), self.new.word(new)) else { return false };
                if a == b && !self.old.is_address(a) {
                    return true;
                }
                if self.old.is_address(a) || self.new.is_address(b) {
                    return self.leads_to_same(user, a, b, Access::Address);
                }
                self.by_thread(user, a, b)
            }
            _ => false,
        }
    }

    /// Are two numbers the distances of one variable from the thread pointer?
    pub(super) fn by_thread(&mut self, user: usize, old: u64, new: u64) -> bool {
        let place = |side: &Side<'_>, d: u64| TLS.wrapping_add(side.image.tls_size).wrapping_add(d);
        let (a, b) = (place(&self.old, old), place(&self.new, new));
        self.old.locate(a).is_some()
            && self.new.locate(b).is_some()
            && self.leads_to_same(user, a, b, Access::Memory(0))
    }

    /// Does the dynamic linker write the same to two places?
    pub(super) fn fills_same(&mut self, user: usize, old: Slot, new: Slot) -> bool {
        let dynamic = |side: &Side<'_>, slot: Slot| {
            let found = side.image.dynamic.get(slot.symbol as usize).filter(|_| slot.symbol != 0);
            found.map(|s| (s.name.clone(), s.version.clone(), s.defined))
        };
        match (dynamic(&self.old, old), dynamic(&self.new, new)) {
            (Some(a), Some(b)) => a.0 == b.0 && a.1 == b.1 && old.kind == new.kind && old.addend == new.addend,
            (None, None) if old.kind == new.kind => match old.kind {
                kind::RELATIVE | kind::WORD => {
                    let (old, new) = (old.addend as u64, new.addend as u64);
                    self.leads_to_same(user, old, new, Access::Memory(0)) || self.is_end_of_counterparts(old, new)
                }
                kind::IRELATIVE => self.leads_to_same(user, old.addend as u64, new.addend as u64, Access::Branch),
                kind::TPOFF | kind::DTPOFF | kind::TLSDESC => {
                    let place = |addend: i64| TLS.wrapping_add_signed(addend);
                    self.leads_to_same(user, place(old.addend), place(new.addend), Access::Memory(0))
                }
                _ => old.addend == new.addend,
            },
            // What the program itself defines, found by name in one build and by place in the other.
            (Some((name, ..)), None) if new.kind == kind::RELATIVE => {
                !self.old.build.is_library() && has_name(&self.new, new.addend as u64, &name)
            }
            (None, Some((name, ..))) if old.kind == kind::RELATIVE => {
                !self.new.build.is_library() && has_name(&self.old, old.addend as u64, &name)
            }
            _ => false,
        }
    }

    fn is_import_of(&self, old: u64, new: usize) -> bool {
        import(&self.old, old)
            .is_some_and(|name| self.new.ranges[new].names.iter().any(|k| k.home == 0 && k.name == name))
            && !self.new.build.is_library()
    }

    fn is_definition_of(&self, old: usize, new: u64) -> bool {
        import(&self.new, new)
            .is_some_and(|name| self.old.ranges[old].names.iter().any(|k| k.home == 0 && k.name == name))
            && !self.old.build.is_library()
    }
}

/// The symbol that an entry of the PLT jumps to, if this build defines it too.
fn import(side: &Side<'_>, at: u64) -> Option<String> {
    let slot = side.slot(side.plt_word(at)?)?;
    let symbol = side.image.dynamic.get(slot.symbol as usize).filter(|s| s.defined)?;
    Some(symbol.name.clone())
}

fn has_name(side: &Side<'_>, at: u64, name: &str) -> bool {
    let range = side.locate(at).map(|i| &side.ranges[i]);
    range.is_some_and(|r| r.start == at && r.names.iter().any(|k| k.home == 0 && k.name == name))
}
