//! Two builds side by side: the units that differ, read into facts.

use std::collections::{HashMap, HashSet};

use dsu_pass::llvm::Context;

use crate::build::pair::{Load, Pair, roots};
use crate::build::{Build, Unit, both};
use crate::compare::continuity::continue_orphans;
use crate::compare::fingerprint::{Canon, Hash, StableNames, hash};
use crate::compare::line_names::continue_names;
use crate::compare::numbered;
use crate::ir::Module;
use crate::ir::is_defined;
use crate::ir::lex::{escape, unescape};
use crate::problem::{Problem, Reason, Result};

/// Text of the units that were read, by unit index.
#[derive(Debug, Default)]
pub struct Texts {
    texts: Vec<(usize, String)>,
    /// Blocks and lambdas that have other numbers in the text than in the program, by unit.
    renumbered: Vec<(usize, Vec<numbered::Renumbering>)>,
    /// What could not be matched before anything is compared.
    pub problems: Vec<Problem>,
}

impl From<Vec<(usize, String)>> for Texts {
    fn from(texts: Vec<(usize, String)>) -> Self {
        Self { texts, ..Self::default() }
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
    let (olds, mut news) = (olds?, news?);
    renumber((old, new), &olds, &mut news, pairs);
    Ok((olds, news))
}

/// Gives blocks and lambdas of the new units the numbers that they have in the old ones.
fn renumber(builds: (&Build, &Build), olds: &Texts, news: &mut Texts, pairs: &[Pair]) {
    for (o, n) in pairs.iter().filter_map(|p| p.old.zip(p.new)) {
        let names = builds.0.units[o].symbols.iter().chain(&builds.1.units[n].symbols);
        if !numbered::concerns(names.map(|s| s.name.as_str())) {
            continue;
        }
        let before = olds.texts.iter().find(|(index, _)| *index == o);
        let after = news.texts.iter_mut().find(|(index, _)| *index == n);
        if let (Some((_, before)), Some((_, after))) = (before, after)
            && let Some((text, numbers)) = numbered::renumbered(before, after, &mut news.problems)
        {
            *after = text;
            news.renumbered.push((n, numbers));
        }
    }
}

/// Disassembles all units of one build.
pub fn texts_of(build: &Build) -> Result<Texts> {
    disassemble(build, &(0..build.units.len()).collect::<Vec<_>>())
}

fn disassemble(build: &Build, wanted: &[usize]) -> Result<Texts> {
    let texts = wanted.iter().map(|&index| Ok((index, text(&build.units[index])?))).collect::<Result<Vec<_>>>()?;
    Ok(texts.into())
}

fn text(unit: &Unit) -> Result<String> {
    let bitcode = unit.bitcode()?;
    let context = Context::new();
    let module = context.parse(&bitcode, &unit.name);
    let module = module.map_err(|e| Problem::new(Reason::ForeignBitcode, &unit.name, e.to_string()))?;
    Ok(module.to_text())
}

/// What `read` takes from the module of one unit.
pub fn parsed<T>(unit: &Unit, read: impl FnOnce(&Module<'_>) -> T) -> Result<T> {
    let text = text(unit)?;
    let module = Module::parse(&text).map_err(|e| Problem::new(Reason::Internal, &unit.name, e))?;
    Ok(read(&module))
}

/// What is known to be one thing in both builds whatever the compiler calls it there.
#[derive(Debug, Default)]
pub struct Counterparts {
    /// Index of the pair of units, name in the old program, name in the new one.
    pub names: Vec<(usize, String, String)>,
    /// Unit of the new build and name in its text -> name in the program, where these differ.
    pub in_program: HashMap<(usize, String), String>,
}

/// Finds them, in the units that were read.
pub fn counterparts(old: &Side<'_>, new: &Side<'_>, texts: &Texts, pairs: &[Pair]) -> Counterparts {
    let mut out = Counterparts::default();
    for (index, (o, n)) in pairs.iter().enumerate().filter_map(|(i, p)| Some((i, p.old.zip(p.new)?))) {
        let (Some(before), Some(after)) = (old.facts(o), new.facts(n)) else { continue };
        let renumbered = texts.renumbered.iter().find(|(unit, _)| *unit == n).map_or(&[][..], |(_, numbers)| numbers);
        for symbol in &after.unit.symbols {
            let in_text = numbered::renamed(&symbol.name, renumbered);
            let printed = escape(&in_text);
            let was = match after.names.knows(&printed) {
                true => unescape(before.names.name(after.names.key(&printed))),
                false if in_text != symbol.name => in_text.clone(),
                false => continue,
            };
            out.names.push((index, was, symbol.name.clone()));
            if in_text != symbol.name {
                out.in_program.insert((n, in_text), symbol.name.clone());
            }
        }
    }
    out
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
    pub names: StableNames,
    /// Fingerprints of the functions with a body, by printed name.
    pub functions: HashMap<&'a str, Hash>,
    /// Fingerprints of the variables and constants it defines, by key.
    pub globals: HashMap<String, Hash>,
    /// Replaced in strings.
    pub root: String,
    /// Names of its definitions for which the program has another one.
    overridden: HashSet<&'a str>,
}

impl<'a> Facts<'a> {
    /// Has the program another definition of this name than the unit's own, which is weak?
    pub fn is_overridden(&self, name: &str) -> bool {
        self.overridden.contains(name)
    }

    /// The printed name by which another build's version of this unit, or of the one it moved to, has a thing of this one.
    pub fn name_in<'n>(&'n self, other: &'n Facts<'_>, name: &'n str) -> &'n str {
        other.names.name(self.names.key(name))
    }

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
        let function = self.names.owner(name)?;
        let is_visible = |facts: &Facts<'a>| {
            let found = facts.module.function_named(function);
            found.is_some_and(|f| is_defined(f) && !matches!(f.linkage, "internal" | "private"))
        };
        let other = find(function).filter(|other| is_visible(self) && is_visible(other))?;
        let (key, _) = other.globals.get_key_value(self.names.key(name))?;
        let before = other.names.name(key);
        (other.names.siblings(before) == self.names.siblings(name)).then_some((other, before))
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
type Parsed<'a> = (usize, Module<'a>, StableNames);

/// Reads facts of both builds. They are parsed first, because the static locals of the new one get their stable names from
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
        if let (Some((_, old, before)), Some((_, new, after))) = (before, after) {
            after.continue_from(before, (old, new));
            continue_orphans((old, before), new, after);
            continue_names((old, before), new, after);
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
        let mut names = StableNames::of(&module);
        names.build_timestamps.clone_from(&build.units[*index].build_timestamps);
        Ok((*index, module, names))
    });
    parsed.collect()
}

impl<'a> Side<'a> {
    fn of(build: &'a Build, parsed: Vec<Parsed<'a>>, root: impl Fn(usize) -> String) -> Self {
        let units: Vec<_> = parsed.into_iter().map(|p| facts(build, root(p.0), p)).collect();
        let by_index = units.iter().enumerate().map(|(at, f)| (f.index, at)).collect();
        Side { build, units, by_index }
    }

    /// Facts of the unit with this index, if it was read.
    pub fn facts(&self, index: usize) -> Option<&Facts<'a>> {
        self.by_index.get(&index).and_then(|&at| self.units.get(at))
    }
}

fn facts<'a>(build: &'a Build, root: String, (index, module, names): Parsed<'a>) -> Facts<'a> {
    let unit = &build.units[index];
    let overridden = overridden(build, unit, &module);
    let mut canon = Canon::new(&module, &names, &root);
    let mut functions = HashMap::new();
    for function in module.functions.iter().filter(|f| is_defined(f)) {
        functions.insert(function.name, hash(&canon.function(function).text));
    }
    let mut globals = HashMap::new();
    for global in module.globals.iter().filter(|g| g.initialiser.is_some() && g.linkage != "available_externally") {
        let mut definition = canon.definition(global);
        definition.push_str(names.form(global.name));
        globals.insert(names.key(global.name).to_owned(), hash(&definition));
    }
    Facts { index, unit, module, names, functions, globals, root, overridden }
}

/// Weak definitions that are not those of the program, by the record, or since an object without one has the only strong one.
fn overridden<'a>(build: &Build, unit: &Unit, module: &Module<'a>) -> HashSet<&'a str> {
    let recorded: HashSet<&str> = unit.symbols.iter().filter(|s| s.overridden).map(|s| s.name.as_str()).collect();
    let is_meant = |name: &&str, linkage: &str| {
        let name = unescape(name);
        let weak = matches!(linkage, "weak" | "weak_odr" | "linkonce" | "linkonce_odr");
        recorded.contains(name.as_str()) || (weak && build.names.strong.contains(&name))
    };
    let functions = module.functions.iter().filter(|f| is_defined(f)).map(|f| (f.name, f.linkage));
    let globals = module.globals.iter().filter(|g| g.initialiser.is_some()).map(|g| (g.name, g.linkage));
    functions.chain(globals).filter(|(name, linkage)| is_meant(name, linkage)).map(|(name, _)| name).collect()
}
