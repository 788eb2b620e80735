//! Data byte by byte; words that are addresses or distances by where they lead.

use super::side::Role;
use super::{Audit, Constant, Finding};
use crate::arch::x86_64::instruction::Access;

/// Strings are not looked at any further.
const LONGEST_TEXT: u64 = 64 << 10;

/// Ends of names, which are read up to there.
const END_OF_STRING: u8 = 0;

impl Audit<'_> {
    /// What differs in the bytes of two counterparts.
    pub(super) fn data(&mut self, old: usize, new: usize) -> Option<String> {
        let (before, after) = (&self.old.ranges[old], &self.new.ranges[new]);
        let (a, b) = (before.start, after.start);
        let (x, y) = (self.used_length(true, a, before.end), self.used_length(false, b, after.end));
        // Behind what one build has as the last, the other may fill up.
        let length = x.max(y);
        let room = before.length().min(after.length());
        if length > room {
            return Some(format!("has {y} bytes, in the base {x}"));
        }
        let at = self.content(old, a, b, length)?;
        let section = &self.new.image.sections[self.new.ranges[new].section].name;
        Some(format!("differs at {at:#x}, in section `{section}`"))
    }

    /// Do two variables hold one string, but for the folder or the time of the build?
    pub(super) fn is_same_text(&self, old: usize, new: usize) -> bool {
        let (before, after) = (&self.old.ranges[old], &self.new.ranges[new]);
        let (x, y) =
            (self.used_length(true, before.start, before.end), self.used_length(false, after.start, after.end));
        self.texts.are_same(self.old.bytes(before.start, x), self.new.bytes(after.start, y))
    }

    /// The same for what has no name: how long the two strings are.
    fn texts_at(&self, old: u64, new: u64) -> Option<(u64, u64)> {
        let text = |bytes: &'_ [u8]| bytes.iter().position(|b| *b == END_OF_STRING);
        let (a, b) = (self.old.bytes(old, LONGEST_TEXT), self.new.bytes(new, LONGEST_TEXT));
        let (x, y) = (text(a)?, text(b)?);
        self.texts.are_same(&a[..x], &b[..y]).then_some((x as u64 + 1, y as u64 + 1))
    }

    /// Bytes up to an end, without those that fill up.
    pub(super) fn used_length(&self, is_old: bool, from: u64, to: u64) -> u64 {
        let side = if is_old { &self.old } else { &self.new };
        let bytes = side.bytes(from, to - from);
        let used = bytes.iter().rposition(|b| !matches!(b, 0)).map_or(0, |last| last as u64 + 1);
        // The dynamic linker fills in words that are zero in the file.
        side.slots(from, to).last().map_or(used, |slot| used.max(slot.place + 8 - from).min(to - from))
    }

    /// The first place where so many bytes differ.
    pub(super) fn content(&mut self, user: usize, old: u64, new: u64, length: u64) -> Option<u64> {
        let (a, b) = (self.old.slots(old, old + length), self.new.slots(new, new + length));
        let places =
            |slots: &[crate::build::image::Slot], from: u64| slots.iter().map(|s| s.place - from).collect::<Vec<_>>();
        let (x, y) = (places(a, old), places(b, new));
        if x != y {
            let other = x.iter().zip(&y).find(|(x, y)| x != y).map(|(x, y)| *x.min(y));
            return Some(other.unwrap_or_else(|| x.get(y.len()).or_else(|| y.get(x.len())).copied().unwrap_or(0)));
        }
        for (a, b) in a.iter().zip(b) {
            if a.kind != crate::build::image::kind::COPY && !self.fills_same(user, *a, *b) {
                return Some(a.place - old);
            }
        }
        let mut from = 0;
        for slot in &x {
            if let Some(at) = self.bytes(user, (old, new), from, *slot) {
                return Some(at);
            }
            from = slot + 8;
        }
        self.bytes(user, (old, new), from, length)
    }

    /// The first byte from one place up to another that differs and is no part of an address or distance.
    fn bytes(&mut self, user: usize, (old, new): (u64, u64), from: u64, to: u64) -> Option<u64> {
        if from >= to {
            return None;
        }
        if let Some(at) = self.fixed_words(user, (old, new), from, to) {
            return Some(at);
        }
        let mut at = from;
        while at < to {
            let (a, b) = (self.old.bytes(old + at, to - at), self.new.bytes(new + at, to - at));
            let same = a.iter().zip(b).position(|(x, y)| x != y);
            let Some(same) = same else {
                // Memory that begins as zero has no bytes.
                let rest = &(if a.len() > b.len() { a } else { b })[a.len().min(b.len())..];
                return rest.iter().position(|byte| *byte != 0).map(|zero| at + (a.len().min(b.len()) + zero) as u64);
            };
            let differing = at + same as u64;
            match self.behind_word(user, (old, new), differing) {
                Some(next) => at = next,
                None => return Some(differing),
            }
        }
        None
    }

    /// In a program at fixed addresses every word may be one.
    fn fixed_words(&mut self, user: usize, (old, new): (u64, u64), from: u64, to: u64) -> Option<u64> {
        if !self.old.is_fixed || old % 8 != new % 8 {
            return None;
        }
        let first = (old + from).next_multiple_of(8) - old;
        for at in (first..(to + 1).saturating_sub(8)).step_by(8) {
            let (Some(a), Some(b)) = (self.old.word(old + at), self.new.word(new + at)) else { continue };
            if self.old.is_address(a) && self.new.is_address(b) && !self.leads_to_same(user, a, b, Access::Address) {
                return Some(at);
            }
        }
        None
    }

    /// Where to go on behind a differing byte, if it is part of a word that leads to the same.
    fn behind_word(&mut self, user: usize, (old, new): (u64, u64), at: u64) -> Option<u64> {
        if self.old.is_fixed && old % 8 == new % 8 {
            let word = ((old + at) & !7).wrapping_sub(old);
            let words = self.old.word(old.wrapping_add(word)).zip(self.new.word(new.wrapping_add(word)));
            // Whether they lead to the same was asked already.
            if words.is_some_and(|(a, b)| self.old.is_address(a) && self.new.is_address(b)) {
                return Some(word.wrapping_add(8));
            }
        }
        let half = ((old + at) & !3).wrapping_sub(old);
        let (from, to) = (old.wrapping_add(half), new.wrapping_add(half));
        let (a, b) = (self.old.half(from)?, self.new.half(to)?);
        // A distance from the beginning of its table, as those of a `switch` are; or from its own place.
        for (x, y) in [(old, new), (from, to)] {
            let (x, y) = (x.wrapping_add_signed(a), y.wrapping_add_signed(b));
            let (Some(p), Some(q)) = (self.old.locate(x), self.new.locate(y)) else { continue };
            let known = match (self.old.ranges[p].role, self.new.ranges[q].role) {
                (Role::Code, Role::Code) => true,
                (Role::Data, Role::Data) => self.is_table(old, from) && !self.in_table,
                _ => false,
            };
            if known && self.leads_to_same(user, x, y, Access::Branch) {
                return Some(half.wrapping_add(4));
            }
        }
        None
    }

    /// May a distance to other data stand there? Tables of those have no name, or one that LLVM gives, and hold nothing
    /// else; or they are what a personality routine reads, which ends with them.
    fn is_table(&self, start: u64, at: u64) -> bool {
        let Some(range) = self.old.locate(start).map(|i| &self.old.ranges[i]) else { return false };
        let unnamed = range.names.iter().all(|k| k.name.starts_with("reltable.") || k.name.ends_with(".rel"));
        let section = &self.old.image.sections[range.section];
        unnamed
            && start.is_multiple_of(4)
            && !section.writable
            && (section.name.starts_with(super::side::TABLES)
                || !super::leftover::distances(&self.old, start, self.old.extent(start).max(at + 4)).is_empty())
    }

    /// Compares what has no name, as far as it belongs to what leads to it.
    pub(super) fn constant(&mut self, constant: Constant) {
        let Constant { old, new, read, user, from_table, beside } = constant;
        let (end_old, end_new) = (self.old.extent(old), self.new.extent(new));
        let (x, y) = (self.used_length(true, old, end_old), self.used_length(false, new, end_new));
        let (shorter, longer) = (x.min(y).max(read), x.max(y).max(read));
        self.in_table = from_table;
        let differs = self.content(user, old, new, longer);
        self.in_table = false;
        let common = differs.unwrap_or(longer);
        // Where something else begins in one build, the other may go on with what nobody leads to: strings end before.
        let ends = |length: u64| length > 0 && self.old.bytes(old + length - 1, 1).first() == Some(&END_OF_STRING);
        let terminated = |common: u64| {
            let bytes = self.old.bytes(old, common);
            bytes.contains(&END_OF_STRING) && is_text(bytes)
        };
        let enough = common >= longer
            || (read != 0 && common >= read)
            || (common >= shorter
                && (ends(shorter) || common > shorter && self.old.bytes(old + shorter, 1) == [END_OF_STRING]))
            || terminated(common);
        if !enough && let Some((x, y)) = self.texts_at(old, new) {
            self.covered.0.push((old, old + x));
            self.covered.1.push((new, new + y));
            return;
        }
        if !enough && beside {
            return;
        }
        // What is behind that has to be accounted for by itself, unless it is told of here.
        let (to_old, to_new) = if enough { (old + common, new + common) } else { (end_old, end_new) };
        self.covered.0.push((old, to_old));
        self.covered.1.push((new, to_new));
        if !enough {
            let at = Some((old, new));
            let message = format!("differs at {common:#x}");
            self.findings.add(Finding { code: false, old: Some(user), new: None, at, message });
        }
    }
}

/// Bytes up to the first zero that a person could read.
fn is_text(bytes: &[u8]) -> bool {
    let text = bytes.split(|b| *b == END_OF_STRING).next().unwrap_or_default();
    std::str::from_utf8(text).is_ok_and(|t| t.chars().all(|c| !c.is_control() || c.is_whitespace()))
}
