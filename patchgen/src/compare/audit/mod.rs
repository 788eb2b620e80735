//! The second witness. The comparison of IR finds what changed in code that has a record; this one takes nothing from it but
//! its result, and accounts for every byte of both linked builds, whoever made them: it belongs to something that the update
//! set replaces, or it is the same in both, addresses being compared by what they lead to.
//!
//! | part | compared how |
//! |---|---|
//! | code | instruction by instruction; operands that are addresses by what is there |
//! | data | byte by byte; words that the dynamic linker fills in, and tables of distances, by where they lead |
//! | what has no name (strings, constants, jump tables) | where compared code or data leads to it; the rest by content |
//! | `.init_array` and its kin, sections that code walks through | in order |
//! | `.eh_frame`, `.gcc_except_table` | with the code that they are about |
//! | `.dynsym` and versions | what is exported, and in which version what is imported |
//! | PLT, GOT | where compared code leads to them |
//! | stubs of dsu-cc, build-id, `.note.dsu`, hash and string tables, relocations, RUNPATH | not by themselves: they follow from the rest |

mod code;
mod data;
mod explained;
mod findings;
mod frames;
mod leftover;
mod links;
mod reference;
mod side;
mod texts;

use std::collections::{HashMap, HashSet, VecDeque};

use crate::build::Build;
use crate::build::pair::Pair;
use crate::compare::closure::UpdateSet;
use crate::compare::diff::Changes;
use crate::compare::side::Counterparts;
use crate::problem::Problem;
use crate::progress::Progress;

use explained::Explained;
use findings::{Finding, Findings};
use side::{Homes, Key, Role, Side};
use texts::Texts;

/// What is compared, and what for.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The base.
    pub old: &'a Build,
    /// The build to become.
    pub new: &'a Build,
    /// Their units.
    pub pairs: &'a [Pair],
    /// What is one thing in both under whatever names.
    pub counterparts: &'a Counterparts,
    /// What differs, by the comparison of IR.
    pub changes: &'a Changes,
    /// What a patch replaces.
    pub set: &'a UpdateSet,
}

/// What neither the update set replaces nor is the same in both builds.
pub fn audit(subject: &Subject<'_>, progress: &Progress) -> Vec<Problem> {
    progress.step("auditing: reading the programs");
    let (old, new) = (&subject.old.image, &subject.new.image);
    if old.sections.is_empty() || new.sections.is_empty() {
        return vec![findings::without_sections(if old.sections.is_empty() { subject.old } else { subject.new })];
    }
    let (old_homes, new_homes) = homes(subject);
    let (old, new) = crate::build::both(|| Side::new(subject.old, &old_homes), || Side::new(subject.new, &new_homes));
    let mut explained = Explained::new(subject);
    explained.add_never_run(&old, &new);
    let mut audit = Audit::new(old, new, explained, Texts::new(subject));
    progress.step("auditing: comparing code and data");
    audit.pair_known(subject.counterparts);
    audit.pair_by_name();
    audit.run();
    audit.pair_the_rest();
    audit.run();
    progress.step("auditing: what is left");
    audit.lists();
    audit.links();
    audit.leftovers();
    audit.findings.problems(&audit.old, &audit.new)
}

fn homes<'a>(subject: &Subject<'a>) -> (Homes<'a>, Homes<'a>) {
    let (mut old, mut new) = (Homes::default(), Homes::default());
    for (index, pair) in subject.pairs.iter().enumerate() {
        let number = index as u32 + 1;
        old.units.extend(pair.old.map(|unit| (unit, number)));
        new.units.extend(pair.new.map(|unit| (unit, number)));
    }
    let first = subject.pairs.len() as u32 + 1;
    let mut files: HashMap<&'a str, u32> = HashMap::new();
    for file in subject.old.image.files.iter().chain(&subject.new.image.files) {
        let number = first + files.len() as u32;
        files.entry(file).or_insert(number);
    }
    old.files.clone_from(&files);
    new.files = files;
    (old, new)
}

/// A constant without a name, as both builds have it, and who leads to it.
#[derive(Debug, Clone, Copy)]
struct Constant {
    old: u64,
    new: u64,
    /// Bytes that are read there, if known.
    read: u64,
    user: usize,
    /// A table of distances leads there: then it is no such table itself.
    from_table: bool,
    /// The end of a neighbour may be meant, and not what is there: that is accounted for as what is left over.
    beside: bool,
}

/// Some bytes: from, to.
type Rest = (u64, u64);

/// The comparison under way.
struct Audit<'a> {
    old: Side<'a>,
    new: Side<'a>,
    explained: Explained,
    texts: Texts,
    /// Ranges that are counterparts, by index.
    pairs: HashSet<(usize, usize)>,
    old_paired: Vec<bool>,
    new_paired: Vec<bool>,
    /// Ranges of the base that were compared with one of the new build, or are explained.
    compared: (Vec<bool>, Vec<bool>),
    work: VecDeque<(usize, usize)>,
    constants: VecDeque<Constant>,
    seen: HashSet<(u64, u64)>,
    /// Where something without a name was accounted for.
    covered: (Vec<Rest>, Vec<Rest>),
    /// Places of code that stand elsewhere in their range in the new build: after an alignment of another length.
    shifts: HashMap<(usize, usize), Vec<(u64, i64)>>,
    /// Constants that are led to from now on are led to by a table of distances, or read for one.
    in_table: bool,
    findings: Findings,
}

impl<'a> Audit<'a> {
    fn new(old: Side<'a>, new: Side<'a>, explained: Explained, texts: Texts) -> Self {
        let (o, n) = (old.ranges.len(), new.ranges.len());
        Self {
            old,
            new,
            explained,
            texts,
            pairs: HashSet::new(),
            old_paired: vec![false; o],
            new_paired: vec![false; n],
            compared: (vec![false; o], vec![false; n]),
            work: VecDeque::new(),
            constants: VecDeque::new(),
            seen: HashSet::new(),
            covered: (Vec::new(), Vec::new()),
            shifts: HashMap::new(),
            in_table: false,
            findings: Findings::default(),
        }
    }

    /// Makes counterparts of two ranges, which are then compared.
    fn pair(&mut self, old: usize, new: usize) {
        if self.pairs.insert((old, new)) {
            self.old_paired[old] = true;
            self.new_paired[new] = true;
            self.work.push_back((old, new));
        }
    }

    /// Pairs what is known by its declaration, or by its code, and not by what the compiler calls it. What refers to it has to
    /// agree.
    fn pair_known(&mut self, known: &Counterparts) {
        let (olds, news) = (by_name(&self.old), by_name(&self.new));
        let mut pairs = Vec::new();
        for (index, old, new) in &known.names {
            let unit = *index as u32 + 1;
            for home in [0, unit, side::SLOT, side::SLOT | unit] {
                let (old, new) = (olds.get(&Key { home, name: old }), news.get(&Key { home, name: new }));
                if let (Some([old]), Some([new])) = (old.map(Vec::as_slice), new.map(Vec::as_slice)) {
                    pairs.push((*old, *new));
                }
            }
        }
        pairs.sort_unstable();
        for (old, new) in pairs {
            self.pair(old, new);
        }
    }

    /// Pairs what has one name, and one place under that name, in both builds. What the compiler numbers waits until
    /// something leads to it.
    fn pair_by_name(&mut self) {
        let (olds, news) = (by_name(&self.old), by_name(&self.new));
        let mut pairs = Vec::new();
        for (key, old) in &olds {
            let Some(new) = news.get(key).filter(|_| !is_numbered(key)) else { continue };
            // Several of one name in files of one name: in the order of the link.
            if old.len() == new.len() {
                pairs.extend(old.iter().copied().zip(new.iter().copied()));
            }
        }
        pairs.sort_unstable();
        let known = (self.old_paired.clone(), self.new_paired.clone());
        for (old, new) in pairs {
            if !known.0[old] && !known.1[new] {
                self.pair(old, new);
            }
        }
        self.pair_moved();
        self.pair_behind();
    }

    /// Code without a name stands behind the same code in both builds.
    fn pair_behind(&mut self) {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for (old, new) in &self.pairs {
            let (a, b) = (old + 1, new + 1);
            let (Some(before), Some(after)) = (self.old.ranges.get(a), self.new.ranges.get(b)) else { continue };
            let plain = |r: &side::Range<'_>| r.role == Role::Code && !r.is_named() && !r.is_stub;
            let here = plain(before) && plain(after) && before.section == self.old.ranges[*old].section;
            if here && !leftover::is_blank(&self.old, before) && !leftover::is_blank(&self.new, after) {
                found.push((a, b));
            }
        }
        found.sort_unstable();
        for (old, new) in found {
            self.pair(old, new);
        }
    }

    /// What is known to one unit only and stands in another one now is the same if no other can be meant.
    fn pair_moved(&mut self) {
        let single = |side: &Side<'a>, paired: &[bool]| {
            let mut out: HashMap<&'a str, Option<usize>> = HashMap::new();
            for (index, range) in side.ranges.iter().enumerate().filter(|(i, _)| !paired[*i]) {
                for key in range.names.iter().filter(|k| !is_numbered(k)) {
                    out.entry(key.name).and_modify(|found| *found = None).or_insert(Some(index));
                }
            }
            out
        };
        let (olds, news) = (single(&self.old, &self.old_paired), single(&self.new, &self.new_paired));
        let mut pairs: Vec<(usize, usize)> =
            olds.iter().filter_map(|(name, old)| Some(((*old)?, (*news.get(name)?)?))).collect();
        pairs.sort_unstable();
        for (old, new) in pairs {
            self.pair(old, new);
        }
    }

    /// Pairs by its full name what nothing led to.
    fn pair_the_rest(&mut self) {
        let (olds, news) = (by_name(&self.old), by_name(&self.new));
        let mut pairs = Vec::new();
        for (key, old) in olds.iter().filter(|(key, _)| is_numbered(key)) {
            if let ([old], Some([new])) = (old.as_slice(), news.get(key).map(Vec::as_slice))
                && !self.old_paired[*old]
                && !self.new_paired[*new]
            {
                pairs.push((*old, *new));
            }
        }
        pairs.sort_unstable();
        for (old, new) in pairs {
            self.pair(old, new);
        }
    }

    /// Compares until nothing new is led to.
    fn run(&mut self) {
        loop {
            while let Some((old, new)) = self.work.pop_front() {
                self.compare(old, new);
            }
            match self.constants.pop_front() {
                Some(constant) => self.constant(constant),
                None => return,
            }
        }
    }

    fn compare(&mut self, old: usize, new: usize) {
        let (before, after) = (&self.old.ranges[old], &self.new.ranges[new]);
        if self.explained.is_pair(before.start, after.start) || before.is_stub || after.is_stub {
            return;
        }
        (self.compared.0[old], self.compared.1[new]) = (true, true);
        let found = match (before.role, after.role) {
            (Role::Code, Role::Code) => self.code(old, new),
            (Role::Zero, Role::Zero) => self.sizes(old, new),
            (Role::Data, Role::Data) if self.is_same_text(old, new) => None,
            (Role::Data | Role::Zero, Role::Data | Role::Zero) => self.sizes(old, new).or_else(|| self.data(old, new)),
            _ => Some(format!(
                "is in section `{}` in the base, in `{}` in the new build",
                self.old.image.sections[before.section].name, self.new.image.sections[after.section].name
            )),
        };
        if let Some(message) = found {
            let code = self.old.ranges[old].role == Role::Code;
            self.findings.add(Finding { code, old: Some(old), new: Some(new), at: None, message });
        }
    }

    /// Sizes of two variables, where both are known.
    fn sizes(&self, old: usize, new: usize) -> Option<String> {
        let (before, after) = (self.old.ranges[old].size, self.new.ranges[new].size);
        (before != 0 && after != 0 && before != after).then(|| format!("has {after} bytes, in the base {before}"))
    }
}

fn by_name<'a>(side: &Side<'a>) -> HashMap<Key<'a>, Vec<usize>> {
    let mut out: HashMap<Key<'a>, Vec<usize>> = HashMap::new();
    for (index, range) in side.ranges.iter().enumerate() {
        for key in &range.names {
            out.entry(*key).or_default().push(index);
        }
    }
    out
}

/// `count.3`: the number says nothing across two builds.
fn is_numbered(key: &Key<'_>) -> bool {
    key.home != 0 && stem(key.name).len() != key.name.len()
}

/// A name without the number at its end.
fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, number)) if !stem.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => stem,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_compiler_are_no_part_of_a_name() {
        let numbered = |home, name| is_numbered(&Key { home, name });
        assert!(numbered(1, "count.3") && numbered(1, "f.part.0"));
        assert!(!numbered(1, "count") && !numbered(1, ".3") && !numbered(1, "f.cold"));
        // What all objects of the program mean is named by them.
        assert!(!numbered(0, "count.3"));
        assert_eq!((stem("count.3"), stem("x.y")), ("count", "x.y"));
    }
}
