//! One build, cut into ranges: from each name to the next, or as far as its size says.

use std::collections::HashMap;

use dsu_abi::stub::{self, Dispatch, PREFIX_SIZE};
use dsu_abi::symbols::SymbolKind;

use super::frames::{self, Frame};
use crate::arch::x86_64::instruction::{Next, Step, Steps, plt_word};
use crate::arch::x86_64::read_stub;
use crate::build::Build;
use crate::build::image::{Image, Section, Slot, SymbolType, TLS, kind};

/// What a section holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Instructions.
    Code,
    /// Bytes that are read, and may be written.
    Data,
    /// Memory that begins as zero.
    Zero,
    /// Addresses of functions that run at the start or the end, in order.
    List,
    /// Jumps through words of the GOT.
    Plt,
    /// Addresses that the dynamic linker fills in.
    Got,
    /// How to unwind: compared with the code that it is about.
    Unwind,
    /// Made by the linker or by dsu-cc from the rest: symbols, relocations, notes.
    Derived,
}

/// A name that the other build may have too: where it counts (0 for the whole program), and the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key<'a> {
    pub(super) home: u32,
    pub(super) name: &'a str,
}

/// A name without what `-funique-internal-linkage-names` put at its end: a hash of the folder.
fn bare(name: &str) -> &str {
    match name.split_once(".__uniq.") {
        Some((front, hash)) if hash.bytes().all(|b| b.is_ascii_digit()) => front,
        _ => name,
    }
}

/// What the names of sections with tables for personality routines begin with.
pub(super) const TABLES: &str = ".gcc_except_table";

/// Part of the home of a slot, which has the name of its function.
pub(super) const SLOT: u32 = 1 << 31;
/// Part of the home of a definition that another unit's took the place of.
const OVERRIDDEN: u32 = 1 << 30;

/// Bytes between two names.
#[derive(Debug, Clone)]
pub(super) struct Range<'a> {
    pub(super) start: u64,
    pub(super) end: u64,
    /// Index of its section.
    pub(super) section: usize,
    pub(super) role: Role,
    /// Size as its symbol has it; 0 when nothing says.
    pub(super) size: u64,
    /// None for what lies between the named ones.
    pub(super) names: Vec<Key<'a>>,
    /// A stub: its bytes follow from the record, against which they were checked.
    pub(super) is_stub: bool,
}

impl Range<'_> {
    /// Whether it is a body that another definition took the place of.
    pub(super) fn is_overridden(&self) -> bool {
        self.names.iter().any(|key| key.home & OVERRIDDEN != 0)
    }

    pub(super) fn is_named(&self) -> bool {
        !self.names.is_empty()
    }

    pub(super) fn length(&self) -> u64 {
        self.end - self.start
    }
}

/// A build under audit.
#[derive(Debug)]
pub(super) struct Side<'a> {
    pub(super) build: &'a Build,
    pub(super) image: &'a Image,
    pub(super) roles: Vec<Role>,
    /// By address, without overlap.
    pub(super) ranges: Vec<Range<'a>>,
    /// Names that the linker makes; they say where a section begins or ends.
    pub(super) markers: HashMap<u64, Vec<&'a str>>,
    /// Addresses that something leads to, sorted.
    pub(super) targets: Vec<u64>,
    /// Unwind information by the code it is about.
    pub(super) frames: Vec<Frame<'a>>,
    /// At fixed addresses: a number in the code may be one.
    pub(super) is_fixed: bool,
    plt: Vec<(u64, u64, u64)>,
}

/// Homes of names: units by their pair, then source files by name.
#[derive(Debug, Default)]
pub(super) struct Homes<'a> {
    /// Unit -> number, for the build at hand.
    pub(super) units: HashMap<usize, u32>,
    /// File -> number.
    pub(super) files: HashMap<&'a str, u32>,
}

/// A name at an address.
struct Point<'a> {
    at: u64,
    size: u64,
    key: Option<Key<'a>>,
    is_object: bool,
    is_stub: bool,
}

const MARKERS: [&str; 22] = [
    "__bss_start",
    "_edata",
    "edata",
    "_end",
    "end",
    "__end",
    "_etext",
    "etext",
    "__etext",
    "__data_start",
    "data_start",
    "_GLOBAL_OFFSET_TABLE_",
    "_DYNAMIC",
    "__GNU_EH_FRAME_HDR",
    "__ehdr_start",
    "__executable_start",
    "__TMC_END__",
    "_TLS_MODULE_BASE_",
    "_PROCEDURE_LINKAGE_TABLE_",
    "__FRAME_END__",
    "__CTOR_END__",
    "__DTOR_END__",
];

fn is_marker(name: &str) -> bool {
    let begins =
        ["__start_", "__stop_", "__init_array_", "__fini_array_", "__preinit_array_", "__rela_iplt_", "__rel_iplt_"];
    MARKERS.contains(&name) || begins.iter().any(|b| name.starts_with(b))
}

/// Says by its name where something ends: what is there is something else.
fn is_end(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["_end", "_stop", "_limit", "_last", ".end"].iter().any(|end| name.ends_with(end))
}

impl<'a> Side<'a> {
    pub(super) fn new(build: &'a Build, homes: &Homes<'a>) -> Self {
        let image = &build.image;
        let roles: Vec<Role> = image.sections.iter().map(role).collect();
        let mut side = Self {
            build,
            image,
            roles,
            ranges: Vec::new(),
            markers: HashMap::new(),
            targets: Vec::new(),
            frames: Vec::new(),
            is_fixed: build.kind == crate::build::ModuleKind::Fixed,
            plt: Vec::new(),
        };
        side.cut(homes);
        side.plt = side.plt_entries();
        let unwinding = image.sections.iter().zip(&side.roles).filter(|(_, role)| **role == Role::Unwind);
        side.frames = frames::read(unwinding.map(|(section, _)| section));
        side.targets = side.find_targets();
        side.cut_unsized();
        side
    }

    /// The section that an address is in.
    pub(super) fn section(&self, at: u64) -> Option<usize> {
        let index = self.image.sections.partition_point(|s| s.address <= at).checked_sub(1)?;
        (at < self.image.sections[index].end()).then_some(index)
    }

    /// The range that an address is in.
    pub(super) fn locate(&self, at: u64) -> Option<usize> {
        let index = self.ranges.partition_point(|r| r.start <= at).checked_sub(1)?;
        (at < self.ranges[index].end).then_some(index)
    }

    /// Bytes from an address on, at most so many.
    pub(super) fn bytes(&self, at: u64, length: u64) -> &'a [u8] {
        let Some(section) = self.section(at).map(|i| &self.image.sections[i]) else { return &[] };
        let from = (at - section.address) as usize;
        let rest = section.bytes.get(from..).unwrap_or_default();
        &rest[..rest.len().min(usize::try_from(length).unwrap_or(usize::MAX))]
    }

    pub(super) fn bytes_of(&self, range: &Range<'_>) -> &'a [u8] {
        self.bytes(range.start, range.length())
    }

    /// What the dynamic linker writes from one address up to another.
    pub(super) fn slots(&self, from: u64, to: u64) -> &'a [Slot] {
        let slots = &self.image.slots;
        let start = slots.partition_point(|s| s.place < from);
        let end = slots.partition_point(|s| s.place < to);
        &slots[start..end.max(start)]
    }

    /// What the dynamic linker writes to an address.
    pub(super) fn slot(&self, at: u64) -> Option<Slot> {
        self.slots(at, at.saturating_add(1)).last().copied()
    }

    /// The word that the PLT entry at an address jumps through.
    pub(super) fn plt_word(&self, at: u64) -> Option<u64> {
        let index = self.plt.partition_point(|e| e.0 <= at).checked_sub(1)?;
        let (_, end, word) = self.plt[index];
        (at < end).then_some(word)
    }

    /// The end of what begins at an address and has no name: where something else is led to, or a name comes.
    pub(super) fn extent(&self, at: u64) -> u64 {
        let Some(range) = self.locate(at).map(|i| &self.ranges[i]) else { return at };
        let next = self.targets.partition_point(|t| *t <= at);
        self.targets.get(next).copied().unwrap_or(u64::MAX).min(range.end)
    }

    /// A word in memory.
    pub(super) fn word(&self, at: u64) -> Option<u64> {
        self.bytes(at, 8).first_chunk::<8>().map(|b| u64::from_le_bytes(*b))
    }

    /// A word of 32 bits in memory, with its sign.
    pub(super) fn half(&self, at: u64) -> Option<i64> {
        self.bytes(at, 4).first_chunk::<4>().map(|b| i64::from(i32::from_le_bytes(*b)))
    }

    /// Is this number an address of the build?
    pub(super) fn is_address(&self, number: u64) -> bool {
        number < TLS && self.section(number).is_some()
    }

    /// Addresses that an instruction leads to.
    pub(super) fn led_to(&self, step: &Step) -> impl Iterator<Item = u64> + use<'_, 'a> {
        let by_thread = step.displacement.filter(|_| step.by_thread);
        let by_thread = by_thread.map(|d| TLS.wrapping_add(self.image.tls_size).wrapping_add(d));
        let numbers = [step.displacement.filter(|_| !step.by_thread), step.immediate];
        let fixed = numbers.into_iter().flatten().filter(|n| self.is_fixed && self.is_address(*n));
        step.target.map(|t| t.0).into_iter().chain(by_thread).chain(fixed)
    }

    /// Addresses that the code of a range leads to.
    pub(super) fn led_to_by_code(&self, range: &Range<'_>, mut visit: impl FnMut(u64)) {
        let mut code = self.bytes_of(range);
        let mut start = range.start;
        loop {
            let mut steps = Steps::new(code, start);
            let mut read = 0;
            let stopped = loop {
                match steps.step() {
                    Next::Step(step) => {
                        read += step.length;
                        self.led_to(&step).for_each(&mut visit);
                    }
                    Next::Invalid => break true,
                    Next::End => break false,
                }
            };
            // Bytes that are no code: go on behind them.
            match code.get(read + 1..).filter(|_| stopped) {
                Some(rest) => (code, start) = (rest, start + read as u64 + 1),
                None => return,
            }
        }
    }

    /// Addresses that the data from one address up to another lead to.
    pub(super) fn led_to_by_data(&self, from: u64, to: u64, mut visit: impl FnMut(u64)) {
        for slot in self.slots(from, to) {
            match slot.kind {
                kind::RELATIVE | kind::IRELATIVE => visit(slot.addend as u64),
                kind::WORD if slot.symbol != 0 => {
                    let symbol = self.image.dynamic.get(slot.symbol as usize).filter(|s| s.defined);
                    symbol.map(|s| s.address.wrapping_add_signed(slot.addend)).into_iter().for_each(&mut visit);
                }
                _ => {}
            }
        }
        if self.is_fixed {
            let words = (from.next_multiple_of(8)..to.saturating_sub(7)).step_by(8);
            words.filter_map(|at| self.word(at)).filter(|w| self.is_address(*w)).for_each(visit);
        }
    }

    fn cut(&mut self, homes: &Homes<'a>) {
        let mut points = self.points(homes);
        points.sort_by_key(|p| p.at);
        let mut next = points.into_iter().peekable();
        for index in 0..self.image.sections.len() {
            let section = &self.image.sections[index];
            let role = self.roles[index];
            let named = matches!(role, Role::Code | Role::Data | Role::Zero);
            while next.next_if(|p| p.at < section.address).is_some() {}
            let blank = |start, end| Range { start, end, section: index, role, size: 0, names: vec![], is_stub: false };
            let mut from = section.address;
            while let Some(first) = next.next_if(|p| p.at < section.end()) {
                let mut range = blank(first.at, 0);
                let mut join = |point: Point<'a>| {
                    range.size = range.size.max(point.size);
                    range.is_stub |= point.is_stub;
                    if point.is_object && range.role == Role::Code {
                        range.role = Role::Data;
                    }
                    range.names.extend(point.key);
                };
                let at = first.at;
                join(first);
                while let Some(more) = next.next_if(|p| p.at == at) {
                    join(more);
                }
                if !named {
                    continue;
                }
                if from < at {
                    self.ranges.push(blank(from, at));
                }
                let beyond = next.peek().map_or(section.end(), |p| p.at.min(section.end()));
                range.end = match range.size {
                    0 => beyond,
                    size => at.saturating_add(size).min(beyond),
                };
                range.names.sort_unstable();
                range.names.dedup();
                from = range.end;
                self.ranges.push(range);
            }
            if from < section.end() {
                self.ranges.push(blank(from, section.end()));
            }
        }
    }

    fn points(&mut self, homes: &Homes<'a>) -> Vec<Point<'a>> {
        let mut out = Vec::new();
        let mut recorded: HashMap<(u64, &str), ()> = HashMap::new();
        let mut overridden: HashMap<u64, Key<'a>> = HashMap::new();
        let mut slots: HashMap<u64, Key<'a>> = HashMap::new();
        for (index, unit) in self.build.units.iter().enumerate() {
            let home = homes.units.get(&index).copied().unwrap_or(u32::MAX);
            for symbol in unit.symbols.iter().filter(|s| s.address != 0 || s.is(SymbolKind::Tls)) {
                let tls = symbol.is(SymbolKind::Tls);
                let at = if tls { TLS.saturating_add(symbol.address) } else { symbol.address };
                let in_code = self.section(at).map(|i| self.roles[i] == Role::Code);
                let is_code = symbol.is_function();
                // gold leaves the offset of what it dropped.
                let misplaced = match symbol.is(SymbolKind::Alias) {
                    true => in_code.is_none(),
                    false => {
                        in_code != Some(is_code) || (symbol.is(SymbolKind::Function) && self.stub(symbol).is_none())
                    }
                };
                // Another unit's definition won: the body is there all the same, and nothing runs it.
                let other = |symbol| self.stub(symbol).is_none_or(|s| s.1 != symbol.slot);
                let lost = symbol.is(SymbolKind::Function) && (symbol.overridden || other(symbol));
                if lost {
                    let name = symbol.name.as_str();
                    overridden.insert(symbol.function_id, Key { home: home | OVERRIDDEN, name });
                    slots.insert(symbol.slot, Key { home: home | OVERRIDDEN, name });
                    if self.section(symbol.slot).is_some_and(|i| matches!(self.roles[i], Role::Data | Role::Zero)) {
                        let key = Some(Key { home: home | SLOT | OVERRIDDEN, name });
                        out.push(Point { at: symbol.slot, size: 8, key, is_object: false, is_stub: false });
                    }
                }
                if misplaced {
                    continue;
                }
                let name = bare(symbol.name.strip_prefix('\u{1}').unwrap_or(&symbol.name));
                let key = Key { home: if symbol.is_global() { 0 } else { home }, name };
                recorded.insert((at, symbol.name.as_str()), ());
                let point = |at, size, key, is_stub| Point { at, size, key, is_object: false, is_stub };
                out.push(point(at, 0, Some(key), false));
                if let Some((_, slot)) = symbol.is(SymbolKind::Function).then(|| self.stub(symbol)).flatten() {
                    if symbol.dispatch() == Dispatch::Armed {
                        out.push(point(at - PREFIX_SIZE, PREFIX_SIZE, None, true));
                    }
                    out.push(point(slot, 8, Some(Key { home: key.home | SLOT, name }), false));
                }
            }
        }
        out.extend(self.overridden(&overridden, &slots));
        for symbol in &self.image.symbols {
            if symbol.kind == SymbolType::Absolute {
                continue;
            }
            let in_data = self.section(symbol.address).is_none_or(|i| matches!(self.roles[i], Role::Data | Role::Zero));
            if is_marker(&symbol.name) || (in_data && symbol.size == 0 && is_end(&symbol.name)) {
                self.markers.entry(symbol.address).or_default().push(&symbol.name);
                continue;
            }
            let is_local = recorded.contains_key(&(symbol.address, symbol.name.as_str()));
            let file = symbol.file.and_then(|f| self.image.files.get(f as usize));
            let home = match symbol.file {
                Some(_) => file.and_then(|f| homes.files.get(f.as_str())).copied().unwrap_or(u32::MAX),
                None => 0,
            };
            // The compiler numbers these; they are found by the code that they are about.
            let numbered =
                self.section(symbol.address).is_some_and(|i| self.image.sections[i].name.starts_with(TABLES));
            let key = (!is_local).then_some(Key { home, name: bare(&symbol.name) });
            let is_object = symbol.kind == SymbolType::Object;
            if numbered {
                continue;
            }
            out.push(Point { at: symbol.address, size: symbol.size, key, is_object, is_stub: false });
        }
        out
    }

    /// Bodies that another definition took the place of: by the number before their entry, or (dispatch `always`) by the slot
    /// that their entry jumps through.
    fn overridden(&self, ids: &HashMap<u64, Key<'a>>, slots: &HashMap<u64, Key<'a>>) -> Vec<Point<'a>> {
        let mut out = Vec::new();
        let code =
            self.image.sections.iter().zip(&self.roles).filter(|(_, role)| **role == Role::Code && !ids.is_empty());
        for (section, _) in code {
            let first = section.address.next_multiple_of(PREFIX_SIZE);
            for at in (first..section.end()).step_by(PREFIX_SIZE as usize) {
                let always = read_stub(at, Dispatch::Always, self.bytes(at - PREFIX_SIZE, 3 * PREFIX_SIZE));
                if let Some(key) = always.and_then(|(_, slot)| slots.get(&slot)) {
                    out.push(Point { at, size: 0, key: Some(*key), is_object: false, is_stub: false });
                }
                let Some(key) = self.word(at).and_then(|id| ids.get(&id)) else { continue };
                if self.bytes(at + 8, 4).ends_with(&stub::JMP_INDIRECT) {
                    out.push(Point { at, size: PREFIX_SIZE, key: None, is_object: false, is_stub: true });
                    out.push(Point {
                        at: at + PREFIX_SIZE,
                        size: 0,
                        key: Some(*key),
                        is_object: false,
                        is_stub: false,
                    });
                }
            }
        }
        out
    }

    /// Function id and slot of a stub, if it is there.
    fn stub(&self, symbol: &crate::build::UnitSymbol) -> Option<(u64, u64)> {
        let around = self.build.entries.get(&symbol.address)?;
        read_stub(symbol.address, symbol.dispatch(), around)
    }

    fn plt_entries(&self) -> Vec<(u64, u64, u64)> {
        let mut out = Vec::new();
        for (section, _) in self.image.sections.iter().zip(&self.roles).filter(|(_, role)| **role == Role::Plt) {
            // Entries that are not bound lazily may be half as long: a jump, and two bytes to fill up.
            let short = section
                .bytes
                .get(..8)
                .is_some_and(|b| b.starts_with(&stub::JMP_INDIRECT) && b.ends_with(&[0x66, 0x90]));
            let size = if short { 8 } else { 16 };
            for (i, code) in section.bytes.chunks(size).enumerate() {
                let at = section.address + (i * size) as u64;
                out.extend(plt_word(code, at).map(|word| (at, at + code.len() as u64, word)));
            }
        }
        out
    }

    /// What has a name but no size ends where something else is led to at the latest.
    fn cut_unsized(&mut self) {
        let mut out = Vec::with_capacity(self.ranges.len());
        for mut range in std::mem::take(&mut self.ranges) {
            let next = self.targets.partition_point(|t| *t <= range.start);
            let open = range.is_named() && range.size == 0 && range.role == Role::Data;
            match self.targets.get(next).copied().filter(|next| open && *next < range.end) {
                Some(next) => {
                    let rest = Range { start: next, names: Vec::new(), ..range.clone() };
                    range.end = next;
                    out.extend([range, rest]);
                }
                None => out.push(range),
            }
        }
        self.ranges = out;
    }

    fn find_targets(&self) -> Vec<u64> {
        let mut out = Vec::new();
        for range in self.ranges.iter().filter(|r| r.role == Role::Code && !r.is_stub) {
            self.led_to_by_code(range, |target| out.push(target));
        }
        for (section, role) in self.image.sections.iter().zip(&self.roles) {
            if matches!(role, Role::Data | Role::Got | Role::List) {
                self.led_to_by_data(section.address, section.end(), |target| out.push(target));
            }
        }
        out.extend(self.frames.iter().filter_map(|f| f.table));
        // Only what has no name, or no end, needs them.
        out.retain(|target| {
            self.locate(*target).is_some_and(|i| !self.ranges[i].is_named() || self.ranges[i].size == 0)
        });
        out.sort_unstable();
        out.dedup();
        out
    }
}

fn role(section: &Section) -> Role {
    const NOTE: u32 = 7;
    let name = section.name.as_str();
    match section.kind {
        // Symbols, strings, hashes, relocations, versions, `.dynamic`.
        3 | 4 | 5 | 6 | 9 | 11 | 19 | 0x6fff_fff6 | 0x6fff_fffd..=0x6fff_ffff => return Role::Derived,
        14..=16 => return Role::List,
        NOTE if matches!(name, ".note.gnu.build-id" | ".note.dsu") => return Role::Derived,
        _ => {}
    }
    match name {
        ".init_array" | ".fini_array" | ".preinit_array" | ".ctors" | ".dtors" => Role::List,
        ".eh_frame" => Role::Unwind,
        ".eh_frame_hdr" => Role::Derived,
        ".got" | ".got.plt" => Role::Got,
        _ if section.executable && (name == ".plt" || name.starts_with(".plt.") || name == ".iplt") => Role::Plt,
        _ if section.executable => Role::Code,
        _ if section.bytes.is_empty() => Role::Zero,
        _ => Role::Data,
    }
}
