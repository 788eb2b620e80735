//! What no compared code or data leads to: it belongs to what is explained, or has to be the same in both builds.

use std::collections::{BTreeMap, HashMap};

use super::findings::is_runtime;
use super::side::{Range, Role, Side};
use super::{Audit, Finding, Rest};
use crate::arch::x86_64::instruction::{Access, Next, Steps};
use crate::build::image::kind;

impl Audit<'_> {
    /// Accounts for what has no name and nothing compared leads to.
    pub(super) fn leftovers(&mut self) {
        let old = rest(&self.old, &self.compared.0, std::mem::take(&mut self.covered.0));
        let new = rest(&self.new, &self.compared.1, std::mem::take(&mut self.covered.1));
        let sections: Vec<String> = old.keys().chain(new.keys()).cloned().collect();
        let mut done = std::collections::BTreeSet::new();
        for name in sections.into_iter().filter(|name| done.insert(name.clone())) {
            let (olds, news) =
                (old.get(&name).cloned().unwrap_or_default(), new.get(&name).cloned().unwrap_or_default());
            self.left_in_section(&name, olds, news);
        }
    }

    fn left_in_section(&mut self, name: &str, mut olds: Vec<Rest>, mut news: Vec<Rest>) {
        // Equal pieces first, wherever they are.
        let plain = |side: &Side<'_>, (from, to): Rest| {
            side.slots(from, to).is_empty().then(|| side.bytes(from, to - from).to_vec())
        };
        let mut there: HashMap<Vec<u8>, usize> = HashMap::new();
        for piece in news.iter().filter_map(|p| plain(&self.new, *p)) {
            *there.entry(piece).or_default() += 1;
        }
        let mut both: HashMap<Vec<u8>, usize> = HashMap::new();
        olds.retain(|p| {
            let Some(bytes) = plain(&self.old, *p) else { return true };
            let Some(count) = there.get_mut(&bytes).filter(|count| **count > 0) else { return true };
            *count -= 1;
            *both.entry(bytes).or_default() += 1;
            false
        });
        news.retain(|p| {
            let Some(bytes) = plain(&self.new, *p) else { return true };
            let Some(count) = both.get_mut(&bytes).filter(|count| **count > 0) else { return true };
            *count -= 1;
            false
        });
        // A string that the other build has, too, though other things lead to it there.
        let text = |side: &Side<'_>, piece| plain(side, piece).filter(|bytes| is_text(bytes));
        olds.retain(|piece| text(&self.old, *piece).is_none_or(|text| !has_string(&self.new, name, &text)));
        news.retain(|piece| text(&self.new, *piece).is_none_or(|text| !has_string(&self.old, name, &text)));
        let length = olds.len().max(news.len());
        for index in 0..length {
            let (old, new) = (olds.get(index).copied(), news.get(index).copied());
            let same = old.zip(new).is_some_and(|(old, new)| self.is_same_piece(old, new));
            if !same {
                let place = old.or(new).unwrap_or_default();
                let is_old = old.is_some();
                let message = match (old, new) {
                    (Some(_), None) => "is not in the new build".to_owned(),
                    (None, Some(_)) => "is not in the base".to_owned(),
                    _ => "differs".to_owned(),
                };
                let side = if is_old { &self.old } else { &self.new };
                let code = side.section(place.0).is_some_and(|i| side.roles[i] == Role::Code);
                let at = if is_old { Some((place.0, new.map_or(0, |n| n.0))) } else { Some((0, place.0)) };
                self.findings.add(Finding {
                    code,
                    old: None,
                    new: None,
                    at,
                    message: format!("{message}, in section `{name}`"),
                });
            }
        }
    }

    fn is_same_piece(&mut self, old: Rest, new: Rest) -> bool {
        let user = usize::MAX;
        if self.texts.are_same(self.old.bytes(old.0, old.1 - old.0), self.new.bytes(new.0, new.1 - new.0)) {
            return true;
        }
        old.1 - old.0 == new.1 - new.0 && self.content(user, old.0, new.0, old.1 - old.0).is_none()
    }

    /// Functions that run at the start and the end, and sections that code walks through, in their order.
    pub(super) fn lists(&mut self) {
        let sections: Vec<String> =
            self.old.image.sections.iter().chain(&self.new.image.sections).map(|s| s.name.clone()).collect();
        let mut done = std::collections::BTreeSet::new();
        for name in sections.into_iter().filter(|name| done.insert(name.clone())) {
            let find = |side: &Side<'_>| side.image.sections.iter().position(|s| s.name == name);
            let (old, new) = (find(&self.old), find(&self.new));
            let is_list = |side: &Side<'_>, at: Option<usize>| at.is_some_and(|i| side.roles[i] == Role::List);
            if is_list(&self.old, old) || is_list(&self.new, new) {
                self.list(&name, old, new);
            } else if let Some((old, new)) = old.zip(new)
                && is_walked(&self.old, &name)
                && is_walked(&self.new, &name)
            {
                self.walked(&name, old, new);
            }
        }
    }

    fn list(&mut self, name: &str, old: Option<usize>, new: Option<usize>) {
        let entries = |side: &Side<'_>, section: Option<usize>| -> Vec<u64> {
            let Some(section) = section.map(|i| &side.image.sections[i]) else { return Vec::new() };
            let places = (section.address..section.end()).step_by(8);
            let word = |at| match side.slot(at) {
                Some(slot) if slot.symbol == 0 => Some(slot.addend as u64),
                Some(slot) => side.image.dynamic.get(slot.symbol as usize).map(|s| s.address),
                None => side.word(at).filter(|w| *w != 0 && *w != u64::MAX),
            };
            places.filter_map(word).collect()
        };
        let (mut olds, mut news) = (entries(&self.old, old), entries(&self.new, new));
        // The rules about constructors judge what has a record.
        olds.retain(|at| !self.explained.is_old(*at));
        news.retain(|at| !self.explained.is_new(*at));
        // Another version of the runtime is told of by itself.
        let runtime = |side: &Side<'_>, at: u64| {
            side.locate(at).is_some_and(|i| side.ranges[i].names.iter().any(|k| is_runtime(k.name)))
        };
        if olds.len() == news.len() {
            let pairs = olds.iter().zip(&news).map(|(a, b)| !(runtime(&self.old, *a) && runtime(&self.new, *b)));
            let keep: Vec<bool> = pairs.collect();
            let mut kept = keep.iter();
            olds.retain(|_| *kept.next().expect("one for each"));
            let mut kept = keep.iter();
            news.retain(|_| *kept.next().expect("one for each"));
        }
        let same = olds.len() == news.len()
            && olds.iter().zip(&news).all(|(a, b)| self.leads_to_same(usize::MAX, *a, *b, Access::Branch));
        if !same {
            let message = "runs other functions at the start or the end, or in another order".to_owned();
            self.findings.section(name, message);
        }
    }

    fn walked(&mut self, name: &str, old: usize, new: usize) {
        let of = |side: &Side<'_>, section: usize| -> Vec<usize> {
            let ranges = side
                .ranges
                .iter()
                .enumerate()
                .filter(|(_, r)| r.section == section && (r.is_named() || !is_blank(side, r)));
            ranges.map(|(i, _)| i).collect()
        };
        let (mut olds, mut news) = (of(&self.old, old), of(&self.new, new));
        // A rule of its own judges what has a record.
        olds.retain(|i| !self.explained.is_old(self.old.ranges[*i].start));
        news.retain(|i| !self.explained.is_new(self.new.ranges[*i].start));
        let in_order = olds.len() == news.len()
            && olds.iter().zip(&news).all(|(a, b)| {
                !self.old.ranges[*a].is_named() || self.pairs.contains(&(*a, *b)) || !self.new.ranges[*b].is_named()
            });
        if !in_order {
            self.findings.section(name, "has other entries, or in another order".to_owned());
        }
    }
}

/// Something that a person could read, or zeros.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| *b == 0 || b.is_ascii_graphic() || b.is_ascii_whitespace())
}

/// Whether a section has this string, as a whole.
fn has_string(side: &Side<'_>, section: &str, text: &[u8]) -> bool {
    let whole = [b"\0", text, b"\0"].concat();
    let sections = side.image.sections.iter().filter(|s| s.name == section);
    sections.into_iter().any(|s| memchr::memmem::find(side.bytes(s.address, s.end() - s.address), &whole).is_some())
}

fn is_walked(side: &Side<'_>, name: &str) -> bool {
    let start = format!("__start_{name}");
    side.markers.values().flatten().any(|marker| **marker == start)
}

/// Nothing but what fills up.
pub(super) fn is_blank(side: &Side<'_>, range: &Range<'_>) -> bool {
    trimmed(side, range.role, (range.start, range.end)).is_none()
}

/// What of the unnamed ranges is not accounted for, by section.
fn rest(side: &Side<'_>, compared: &[bool], mut covered: Vec<Rest>) -> BTreeMap<String, Vec<Rest>> {
    let mut led_to: Vec<u64> = Vec::new();
    for (index, range) in side.ranges.iter().enumerate() {
        let differs = range.is_named() && !compared[index] && !range.is_stub;
        match range.role {
            Role::Code if differs => side.led_to_by_code(range, |at| led_to.push(at)),
            Role::Data if differs => {
                side.led_to_by_data(range.start, range.end, |at| led_to.push(at));
                led_to.extend(distances(side, range.start, range.end));
            }
            _ => {}
        }
        if differs {
            let frames = side.frames.iter().filter(|f| (range.start..range.end).contains(&f.start));
            if range.role == Role::Code {
                led_to.extend(frames.filter_map(|f| f.table));
            }
        }
    }
    let mut seen = std::collections::HashSet::new();
    while let Some(at) = led_to.pop() {
        let unnamed = side.locate(at).is_some_and(|i| !side.ranges[i].is_named());
        if unnamed && seen.insert(at) {
            let end = side.extent(at);
            covered.push((at, end));
            side.led_to_by_data(at, end, |next| led_to.push(next));
            led_to.extend(distances(side, at, end));
        }
    }
    covered.sort_unstable();
    let mut out: BTreeMap<String, Vec<Rest>> = BTreeMap::new();
    for (index, range) in side.ranges.iter().enumerate() {
        let unnamed = !range.is_named() && !range.is_stub && !compared[index];
        if unnamed && matches!(range.role, Role::Code | Role::Data) {
            let pieces = uncovered(range, &covered).into_iter().flat_map(|piece| split(side, range.role, piece));
            out.entry(side.image.sections[range.section].name.clone()).or_default().extend(pieces);
        }
    }
    out
}

/// Where the words of a table lead, if all of them are distances from its beginning to other data.
pub(super) fn distances(side: &Side<'_>, from: u64, to: u64) -> Vec<u64> {
    if !from.is_multiple_of(4) || to.saturating_sub(from) < 8 {
        return Vec::new();
    }
    let places = (from..to.saturating_sub(3)).step_by(4);
    let targets: Option<Vec<u64>> = places
        .map(|at| {
            let target = from.wrapping_add_signed(side.half(at)?);
            let other = !(from..to).contains(&target);
            side.locate(target).filter(|i| other && side.ranges[*i].role == Role::Data).map(|_| target)
        })
        .collect();
    targets.unwrap_or_default()
}

/// What of a range none of the sorted pieces covers.
fn uncovered(range: &Range<'_>, covered: &[Rest]) -> Vec<Rest> {
    let (mut out, mut from) = (Vec::new(), range.start);
    // A piece that began before may reach into the range.
    let first = covered.partition_point(|c| c.0 < range.start).saturating_sub(1);
    for (start, end) in covered[first..].iter().take_while(|c| c.0 < range.end) {
        if *start > from {
            out.push((from, *start));
        }
        from = from.max(*end);
    }
    if from < range.end {
        out.push((from, range.end));
    }
    out
}

/// Pieces between zeros that are long enough to fill up, or the strings in it.
fn split(side: &Side<'_>, role: Role, piece: Rest) -> Vec<Rest> {
    let Some((from, to)) = trimmed(side, role, piece) else { return Vec::new() };
    let bytes = side.bytes(from, to - from);
    let text = role == Role::Data && side.slots(from, to).is_empty() && is_text(bytes);
    if !text {
        return vec![(from, to)];
    }
    let (mut out, mut at) = (Vec::new(), from);
    for word in bytes.split(|b| *b == 0) {
        let end = at + word.len() as u64;
        if !word.is_empty() {
            out.push((at, end));
        }
        at = end + 1;
    }
    out
}

/// Without what fills up at both ends.
fn trimmed(side: &Side<'_>, role: Role, (from, to): Rest) -> Option<Rest> {
    if role == Role::Code {
        return code_in(side, from, to);
    }
    let bytes = side.bytes(from, to - from);
    let slots = side.slots(from, to);
    let first = bytes.iter().position(|b| *b != 0).map(|i| from + i as u64);
    let last = bytes.iter().rposition(|b| *b != 0).map(|i| from + i as u64 + 1);
    let first = [first, slots.first().map(|s| s.place)].into_iter().flatten().min()?;
    let last =
        [last, slots.last().filter(|s| s.kind != kind::COPY).map(|s| s.place + 8)].into_iter().flatten().max()?;
    (first < last).then_some((first, last))
}

fn code_in(side: &Side<'_>, from: u64, to: u64) -> Option<Rest> {
    let mut steps = Steps::new(side.bytes(from, to - from), from);
    let (mut first, mut last) = (None, from);
    loop {
        match steps.step() {
            Next::Step(step) if step.is_padding => {}
            Next::Step(step) => {
                first.get_or_insert(step.at);
                last = step.at + step.length as u64;
            }
            Next::Invalid => return Some((first.unwrap_or(last), to)),
            Next::End => return first.map(|first| (first, last)),
        }
    }
}
