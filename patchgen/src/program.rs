//! Two builds side by side: units paired, changed ones read into facts.

use std::collections::{HashMap, HashSet};

use dsu_pass::llvm::Context;

use crate::fingerprint::{Canon, Hash, Keys, hash};
use crate::input::{Build, Unit};
use crate::ir::Module;
use crate::problem::{Problem, Reason, Result};

/// A unit of one build or both, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Index in the old build.
    pub old: Option<usize>,
    /// Index in the new build.
    pub new: Option<usize>,
    /// No other unit could be meant: not so for several of one name that all differ.
    pub certain: bool,
}

/// Which units to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// Those that differ.
    Changed,
    /// All: something that other units may refer to changed.
    All,
}

/// Pairs units by name; units of one name by order.
pub fn pair(old: &Build, new: &Build) -> Result<Vec<Pair>> {
    let mut by_name: HashMap<&str, (Vec<usize>, Vec<usize>)> = HashMap::new();
    for (i, unit) in old.units.iter().enumerate() {
        by_name.entry(&unit.name).or_default().0.push(i);
    }
    for (i, unit) in new.units.iter().enumerate() {
        by_name.entry(&unit.name).or_default().1.push(i);
    }
    let mut pairs = Vec::new();
    let (mut old_only, mut new_only) = (Vec::new(), Vec::new());
    for (name, (mut olds, mut news)) in by_name {
        if olds.len() != news.len() && olds.len().max(news.len()) > 1 {
            let message = format!("the old build has {} units of this name, the new one {}", olds.len(), news.len());
            return Err(Problem::new(Reason::AmbiguousUnit, name, message));
        }
        if olds.is_empty() || news.is_empty() {
            old_only.extend(olds);
            new_only.extend(news);
        } else {
            pairs.extend(pairs_of(old, new, &mut olds, &mut news));
        }
    }
    // A source that was moved or renamed is the same unit, and its static variables are those of the base.
    pairs.extend(belonging_pairs(old, new, &mut old_only, &mut new_only));
    pairs.extend(old_only.into_iter().map(|o| Pair { old: Some(o), new: None, certain: true }));
    pairs.extend(new_only.into_iter().map(|n| Pair { old: None, new: Some(n), certain: true }));
    pairs.sort_by_key(|p| (p.new.is_none(), p.new, p.old));
    Ok(pairs)
}

/// Pairs units of one name: those that belong together, then what is left, in link order.
fn pairs_of(old: &Build, new: &Build, olds: &mut Vec<usize>, news: &mut Vec<usize>) -> Vec<Pair> {
    if let ([o], [n]) = (&olds[..], &news[..]) {
        return vec![Pair { old: Some(*o), new: Some(*n), certain: true }];
    }
    let mut pairs = belonging_pairs(old, new, olds, news);
    let certain = olds.len() == 1;
    pairs.extend(olds.iter().zip(news).map(|(o, n)| Pair { old: Some(*o), new: Some(*n), certain }));
    pairs
}

/// Takes those out that are the same, and those that alone define the same global symbols: a program has each once.
fn belonging_pairs(old: &Build, new: &Build, olds: &mut Vec<usize>, news: &mut Vec<usize>) -> Vec<Pair> {
    let names = |unit: &Unit| -> HashSet<String> {
        // `main` says nothing: every program has one.
        unit.symbols.iter().filter(|s| s.is_global() && s.name != "main").map(|s| s.name.clone()).collect()
    };
    let before: HashMap<usize, HashSet<String>> = olds.iter().map(|&o| (o, names(&old.units[o]))).collect();
    let after: HashMap<usize, HashSet<String>> = news.iter().map(|&n| (n, names(&new.units[n]))).collect();
    let are_same = |o: usize, n: usize| old.units[o].id == new.units[n].id;
    let share = |o: usize, n: usize| !before[&o].is_disjoint(&after[&n]);
    let mut pairs = Vec::new();
    for belong in [&are_same as &dyn Fn(usize, usize) -> bool, &share] {
        for n in news.clone() {
            let of_new: Vec<usize> = olds.iter().copied().filter(|&o| belong(o, n)).collect();
            if let [o] = of_new[..]
                && news.iter().filter(|&&other| belong(o, other)).count() == 1
            {
                pairs.push(Pair { old: Some(o), new: Some(n), certain: true });
                olds.retain(|other| *other != o);
                news.retain(|other| *other != n);
            }
        }
    }
    pairs
}

/// Text of the units that were read, by unit index.
#[derive(Debug, Default)]
pub struct Texts {
    texts: Vec<(usize, String)>,
}

impl From<Vec<(usize, String)>> for Texts {
    fn from(texts: Vec<(usize, String)>) -> Self {
        Self { texts }
    }
}

/// Disassembles the units of both builds that `load` asks for.
pub fn texts(old: &Build, new: &Build, pairs: &[Pair], load: Load) -> Result<(Texts, Texts)> {
    let differs = |p: &&Pair| match (p.old, p.new) {
        (Some(o), Some(n)) => load == Load::All || old.units[o].id != new.units[n].id,
        _ => true,
    };
    let olds: Vec<usize> = pairs.iter().filter(differs).filter_map(|p| p.old).collect();
    let news: Vec<usize> = pairs.iter().filter(differs).filter_map(|p| p.new).collect();
    let (olds, news) = both(|| disassemble(old, &olds), || disassemble(new, &news));
    Ok((olds?, news?))
}

/// Disassembles all units of one build.
pub fn texts_of(build: &Build) -> Result<Texts> {
    disassemble(build, &(0..build.units.len()).collect::<Vec<_>>())
}

/// Runs two closures side by side.
pub fn both<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let a = scope.spawn(a);
        let b = b();
        (a.join().expect("a panic aborts the process"), b)
    })
}

fn disassemble(build: &Build, wanted: &[usize]) -> Result<Texts> {
    let mut texts = Vec::new();
    for &index in wanted {
        let unit = &build.units[index];
        let bitcode = unit.bitcode()?;
        let context = Context::new();
        let module = context.parse(&bitcode, &unit.name);
        let module = module.map_err(|e| Problem::new(Reason::ForeignBitcode, &unit.name, e.to_string()))?;
        texts.push((index, module.to_text()));
    }
    Ok(Texts { texts })
}

/// A unit that was read.
#[derive(Debug)]
pub struct Facts<'a> {
    /// Index in its build.
    pub index: usize,
    /// Its record.
    pub unit: &'a Unit,
    /// The parts of its text.
    pub module: Module<'a>,
    /// Stable names of its variables.
    pub keys: Keys,
    /// Fingerprints of the functions with a body, by printed name.
    pub functions: HashMap<&'a str, Hash>,
    /// Fingerprints of the variables and constants it defines, by key.
    pub globals: HashMap<String, Hash>,
    /// Replaced in strings.
    pub root: String,
}

impl<'a> Facts<'a> {
    /// The unit of the other build, by `find`, that has this one's static local `name`: where its function is visible outside
    /// its unit and was moved, it took along what is its own.
    pub fn moved_static<'f>(
        &self,
        name: &str,
        find: impl FnOnce(&str) -> Option<&'f Facts<'a>>,
    ) -> Option<(&'f Facts<'a>, &'f str)>
    where
        'a: 'f,
    {
        let function = self.keys.owner(name)?;
        let is_visible = |facts: &Facts<'a>| {
            let found = facts.module.function_named(function);
            found.is_some_and(|f| is_defined(f) && !matches!(f.linkage, "internal" | "private"))
        };
        let other = find(function).filter(|other| is_visible(self) && is_visible(other))?;
        let (key, _) = other.globals.get_key_value(self.keys.key(name))?;
        let before = other.keys.name(key);
        (other.keys.siblings(before) == self.keys.siblings(name)).then_some((other, before))
    }
}

/// The units of one build that were read.
#[derive(Debug)]
pub struct Side<'a> {
    /// The build.
    pub build: &'a Build,
    /// Units that were read.
    pub units: Vec<Facts<'a>>,
    by_index: HashMap<usize, usize>,
}

/// A unit whose text was split, before anything is hashed.
type Parsed<'a> = (usize, Module<'a>, Keys);

/// Reads facts of both builds. They are parsed first, because the static locals of the new one get their keys from
/// the old one's.
pub fn sides<'a>(
    builds: (&'a Build, &'a Build),
    texts: &'a (Texts, Texts),
    pairs: &[Pair],
) -> Result<(Side<'a>, Side<'a>)> {
    let (old, new) = both(|| parse(builds.0, &texts.0), || parse(builds.1, &texts.1));
    let (old, mut new) = (old?, new?);
    for pair in pairs {
        let before = old.iter().find(|(index, ..)| Some(*index) == pair.old);
        let after = new.iter_mut().find(|(index, ..)| Some(*index) == pair.new);
        if let (Some((_, _, before)), Some((_, _, after))) = (before, after) {
            after.continue_from(before);
        }
    }
    let root = |is_new: bool, index: usize| {
        let found = pairs.iter().find(|p| if is_new { p.new } else { p.old } == Some(index));
        let (Some(o), Some(n)) = found.and_then(|p| Some((p.old?, p.new?))).unzip() else { return String::new() };
        let (o, n) = roots(&builds.0.units[o].directory, &builds.1.units[n].directory);
        if is_new { n } else { o }
    };
    Ok(both(|| Side::of(builds.0, old, |i| root(false, i)), || Side::of(builds.1, new, |i| root(true, i))))
}

/// Reads the facts of one build that stands for both.
pub fn side<'a>(build: &'a Build, texts: &'a Texts) -> Result<Side<'a>> {
    Ok(Side::of(build, parse(build, texts)?, |_| String::new()))
}

fn parse<'a>(build: &'a Build, texts: &'a Texts) -> Result<Vec<Parsed<'a>>> {
    let parsed = texts.texts.iter().map(|(index, text)| {
        let module = Module::parse(text);
        let module = module.map_err(|e| Problem::new(Reason::Internal, &build.units[*index].name, e))?;
        let mut keys = Keys::of(&module);
        keys.stamps.clone_from(&build.units[*index].stamps);
        Ok((*index, module, keys))
    });
    parsed.collect()
}

impl<'a> Side<'a> {
    fn of(build: &'a Build, parsed: Vec<Parsed<'a>>, root: impl Fn(usize) -> String) -> Self {
        let units: Vec<_> = parsed.into_iter().map(|p| facts(&build.units[p.0], root(p.0), p)).collect();
        let by_index = units.iter().enumerate().map(|(at, f)| (f.index, at)).collect();
        Side { build, units, by_index }
    }

    /// Facts of the unit with this index, if it was read.
    pub fn facts(&self, index: usize) -> Option<&Facts<'a>> {
        self.by_index.get(&index).and_then(|&at| self.units.get(at))
    }
}

fn facts<'a>(unit: &'a Unit, root: String, (index, module, keys): Parsed<'a>) -> Facts<'a> {
    let mut canon = Canon::new(&module, &keys, &root);
    let mut functions = HashMap::new();
    for function in module.functions.iter().filter(|f| is_defined(f)) {
        functions.insert(function.name, hash(&canon.function(function).text));
    }
    let mut globals = HashMap::new();
    for global in module.globals.iter().filter(|g| g.initialiser.is_some() && g.linkage != "available_externally") {
        let definition = hash(&canon.definition(global));
        globals.insert(keys.key(global.name).to_owned(), definition);
    }
    Facts { index, unit, module, keys, functions, globals, root }
}

/// Does the unit emit this function?
pub fn is_defined(function: &crate::ir::Function<'_>) -> bool {
    function.body.is_some() && function.linkage != "available_externally"
}

/// The parts of two directories before their common ending: `/tmp/old/src` and `/tmp/new/src` give `/tmp/old`
/// and `/tmp/new`. Empty when the directories are equal.
pub fn roots(old: &str, new: &str) -> (String, String) {
    if old == new {
        return Default::default();
    }
    let (mut o, mut n): (Vec<&str>, Vec<&str>) = (old.split('/').collect(), new.split('/').collect());
    while o.len() > 1 && n.len() > 1 && o.last() == n.last() {
        o.pop();
        n.pop();
    }
    (o.join("/"), n.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_what_differs() {
        assert_eq!(roots("/tmp/old/src", "/tmp/new/src"), ("/tmp/old".into(), "/tmp/new".into()));
        assert_eq!(roots("/a", "/a"), Default::default());
        assert_eq!(roots("/b/x", "/a/b/x"), ("".into(), "/a".into()));
    }
}
