//! Where a name leads: to a definition of the new build, to an address of the base, or out of the program.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use dsu_abi::symbols::SymbolKind;

use crate::build::pair::Pair;
use crate::build::{Unit, UnitSymbol};
use crate::compare::side::{Facts, Side};
use crate::ir::header::is_weak;
use crate::ir::is_defined;
use crate::ir::lex::unescape;
use crate::ir::{Global, Symbol};

/// What a base address is the address of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BaseKind {
    /// Code: always the entry, so that calls and pointers meet the newest version.
    Function,
    /// Variable or constant.
    Data,
    /// Thread-local variable; the value is its offset.
    Tls,
}

/// Something of the base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseSymbol {
    /// Its name there.
    pub name: String,
    /// Address, or TLS offset.
    pub value: u64,
    /// What it is.
    pub kind: BaseKind,
    /// Its record, unless it comes from an object file without one.
    pub record: Option<UnitSymbol>,
    /// Unit of the record.
    pub unit: String,
}

/// A definition in the new build: unit index and printed name.
pub type Definition = (usize, String);

/// What the assembler name made by `DSU_STATIC` (dsu.h) begins with.
const STATIC: &str = "dsu!";

/// Looks names up in both builds.
#[derive(Debug)]
pub struct Resolver<'s, 'a> {
    /// The base.
    pub old: &'s Side<'a>,
    /// The new build.
    pub new: &'s Side<'a>,
    paired: HashMap<usize, usize>,
    /// Units of the new build of which it is not certain which old ones they are.
    uncertain: HashSet<usize>,
    old_globals: HashMap<&'a str, (usize, &'a UnitSymbol)>,
    new_globals: HashMap<&'a str, usize>,
    /// What is in the program, by unit of the base and name.
    present: Vec<HashMap<&'a str, &'a UnitSymbol>>,
    /// Names that only their unit of the new build sees.
    private: Vec<HashSet<&'a str>>,
}

impl<'s, 'a> Resolver<'s, 'a> {
    /// Whether other modules may use this name of the base.
    pub fn is_exported(&self, name: &str) -> bool {
        self.old.build.exported.binary_search_by(|e| e.as_str().cmp(name)).is_ok()
    }

    /// For two sides.
    pub fn new(old: &'s Side<'a>, new: &'s Side<'a>, pairs: &[Pair]) -> Self {
        let paired = pairs.iter().filter_map(|p| Some((p.new?, p.old?))).collect();
        let uncertain = pairs.iter().filter(|p| !p.certain).filter_map(|p| p.new).collect();
        let mut old_globals = HashMap::new();
        for (index, unit) in old.build.units.iter().enumerate() {
            for symbol in unit.symbols.iter().filter(|s| s.is_global() && s.is_present()) {
                old_globals.entry(symbol.name.as_str()).or_insert((index, symbol));
            }
        }
        let mut new_globals = HashMap::new();
        for (index, unit) in new.build.units.iter().enumerate() {
            for symbol in unit.symbols.iter().filter(|s| s.is_global() && !s.overridden) {
                new_globals.entry(symbol.name.as_str()).or_insert(index);
            }
        }
        let present = |unit: &'a Unit| {
            let mut names = HashMap::new();
            for symbol in unit.symbols.iter().filter(|s| s.is_present()) {
                names.entry(symbol.name.as_str()).or_insert(symbol);
            }
            names
        };
        let private = |unit: &'a Unit| {
            unit.symbols.iter().filter(|s| !s.is_global()).map(|s| s.name.as_str()).collect::<HashSet<_>>()
        };
        let present = old.build.units.iter().map(present).collect();
        let private = new.build.units.iter().map(private).collect();
        Self { old, new, paired, uncertain, old_globals, new_globals, present, private }
    }

    /// The old unit that corresponds to a new one.
    pub fn old_unit(&self, new: usize) -> Option<usize> {
        self.paired.get(&new).copied()
    }

    /// Whether it is certain which old unit a new one is.
    pub fn is_certain(&self, unit: usize) -> bool {
        !self.uncertain.contains(&unit)
    }

    /// The definition behind a name used in a unit; `None` when the program does not define it.
    pub fn definition(&self, unit: usize, symbol: &str) -> Option<Definition> {
        // The weak bodies that dsu.h brings along stand in for the runtime's, which the base has.
        let stands_in = symbol.starts_with("__dsu_") || symbol.starts_with("dsu_");
        if stands_in && self.old.build.exported.binary_search_by(|e| e.as_str().cmp(symbol)).is_ok() {
            return None;
        }
        let linked = self.linked(unit, symbol);
        let here = linked == symbol && self.is_defined_in(unit, symbol);
        let own = || (unit, symbol.to_owned());
        if here && !self.is_overridden(unit, symbol) {
            return Some(own());
        }
        let elsewhere = self.new_globals.get(unescape(&linked).as_str()).copied();
        let elsewhere = elsewhere.filter(|index| !here || *index != unit);
        // All of one definition rule are equal, and the one that was read will do.
        let read = elsewhere.is_some_and(|index| self.new.facts(index).is_some());
        if here && !read && self.is_one_of_many(unit, symbol) {
            return Some(own());
        }
        Some((elsewhere?, linked.into_owned()))
    }

    /// The name that the linker took this one for: `--wrap` leads names elsewhere.
    pub fn linked<'n>(&self, unit: usize, symbol: &'n str) -> Cow<'n, str> {
        self.new.build.names.linked(symbol, self.is_defined_in(unit, symbol))
    }

    fn is_defined_in(&self, unit: usize, symbol: &str) -> bool {
        let Some(module) = self.new.facts(unit).map(|facts| &facts.module) else { return false };
        match module.symbols.get(symbol) {
            Some(Symbol::Function(i)) => is_defined(&module.functions[*i]),
            Some(Symbol::Global(i)) => {
                let global = &module.globals[*i];
                global.initialiser.is_some() && global.linkage != "available_externally"
            }
            Some(Symbol::Alias(_)) => true,
            None => false,
        }
    }

    fn is_overridden(&self, unit: usize, symbol: &str) -> bool {
        let Some(facts) = self.new.facts(unit) else { return false };
        // Of a variable that many units have, the linker takes the first.
        let global = facts.module.global_named(symbol);
        let one_of_many = global.is_some_and(|g| is_weak(g.linkage) && g.linkage != "common");
        let other = |first: &usize| *first != unit;
        facts.is_overridden(symbol)
            || (one_of_many && self.new_globals.get(unescape(symbol).as_str()).is_some_and(other))
    }

    /// A function that several units define alike, as C++ asks for.
    fn is_one_of_many(&self, unit: usize, symbol: &str) -> bool {
        let function = self.new.facts(unit).and_then(|facts| facts.module.function_named(symbol));
        function.is_some_and(|f| matches!(f.linkage, "linkonce_odr" | "weak_odr"))
    }

    /// Is this the definition that the program has? An overridden one is none.
    pub fn is_in_program(&self, definition: &Definition) -> bool {
        let (unit, symbol) = definition;
        // Whatever a reference to a wrapped name leads to, this is what the name itself has.
        !self.is_overridden(*unit, symbol) || self.definition(*unit, symbol).as_ref() == Some(definition)
    }

    /// The base's counterpart of a definition of the new build.
    pub fn base(&self, definition: &Definition) -> Option<BaseSymbol> {
        let (unit, symbol) = definition;
        if let Some(piece) = self.piece(*unit, symbol) {
            return Some(piece);
        }
        let here = self.old_unit(*unit).and_then(|old| {
            let key = self.new.facts(*unit).map_or(symbol.as_str(), |f| f.names.key(symbol));
            let name = self.old.facts(old).map_or(key, |f| f.names.name(key));
            self.present[old].get(unescape(name).as_str()).map(|s| (old, *s))
        });
        let (index, record) = here.or_else(|| self.global(unit, symbol)).or_else(|| self.moved_static(unit, symbol))?;
        let kind = match () {
            () if record.is(SymbolKind::Tls) => BaseKind::Tls,
            () if record.is(SymbolKind::Data) => BaseKind::Data,
            () if record.is(SymbolKind::Alias) && self.is_data(unit, symbol) => BaseKind::Data,
            () => BaseKind::Function,
        };
        let (name, unit) = (record.name.clone(), self.old.build.units[index].name.clone());
        Some(BaseSymbol { name, value: record.address, kind, record: Some(record.clone()), unit })
    }

    /// A piece of a variable that the base has in one object.
    fn piece(&self, unit: usize, symbol: &str) -> Option<BaseSymbol> {
        let inside = self.new.facts(unit)?.names.inside(symbol)?;
        let old = self.old_unit(unit)?;
        let record = *self.present[old].get(unescape(&inside.whole).as_str())?;
        let kind = if record.is(SymbolKind::Tls) { BaseKind::Tls } else { BaseKind::Data };
        let (name, unit) = (record.name.clone(), self.old.build.units[old].name.clone());
        Some(BaseSymbol { name, value: record.address + inside.offset, kind, record: Some(record.clone()), unit })
    }

    /// A definition that is visible outside its unit keeps its identity when it moves to another unit.
    fn global(&self, unit: &usize, symbol: &str) -> Option<(usize, &'a UnitSymbol)> {
        let name = unescape(symbol);
        let visible = !self.private[*unit].contains(name.as_str());
        self.old_globals.get(name.as_str()).copied().filter(|_| visible)
    }

    /// A static local of a function that is visible outside its unit moves along with it.
    fn moved_static(&self, unit: &usize, symbol: &str) -> Option<(usize, &'a UnitSymbol)> {
        let (before, name) = self.new.facts(*unit)?.moved_static(symbol, |f| self.old_home(f))?;
        Some((before.index, *self.present[before.index].get(unescape(name).as_str())?))
    }

    fn old_home(&self, symbol: &str) -> Option<&'s Facts<'a>> {
        self.old.facts(self.old_globals.get(unescape(symbol).as_str())?.0)
    }

    /// The old unit and definition of a variable or constant of the new build, wherever it was.
    pub fn before(&self, definition: &Definition) -> Option<(&'s Facts<'a>, &'s Global<'a>)> {
        let (unit, symbol) = definition;
        let new = self.new.facts(*unit)?;
        let in_unit = |facts: &'s Facts<'a>, name: &str| {
            let found = facts.module.global_named(name).filter(|g| g.initialiser.is_some());
            found.map(|global| (facts, global))
        };
        let here = self.old_unit(*unit).and_then(|old| self.old.facts(old));
        let here = here.and_then(|facts| in_unit(facts, facts.names.name(new.names.key(symbol))));
        let visible = || self.global(unit, symbol).and_then(|(index, _)| in_unit(self.old.facts(index)?, symbol));
        let moved = || new.moved_static(symbol, |f| self.old_home(f)).and_then(|(facts, name)| in_unit(facts, name));
        here.or_else(visible).or_else(moved)
    }

    /// A library's exported name may be taken over by the program; then the program's definition counts.
    pub fn is_interposable(&self, unit: usize, symbol: &str) -> bool {
        let (base, name) = (self.old.build, unescape(symbol));
        if !base.is_library() || base.exported.binary_search(&name).is_err() {
            return false;
        }
        // Bound by `-Bsymbolic` and its like; and a library without a name is one that a patch cannot ask for.
        let new = self.new.build;
        let bound = new.exported.binary_search(&name).is_ok() && !new.names.preemptible.contains(&name);
        if bound || base.soname.is_none() {
            return false;
        }
        let Some(module) = self.new.facts(unit).map(|f| &f.module) else { return true };
        match module.symbols.get(symbol) {
            Some(Symbol::Function(i)) => !module.functions[*i].before.split(' ').any(|w| w == "dso_local"),
            Some(Symbol::Global(i)) => !module.globals[*i].local,
            _ => true,
        }
    }

    fn is_data(&self, unit: &usize, symbol: &str) -> bool {
        let alias = self.new.facts(*unit).and_then(|f| match f.module.symbols.get(symbol) {
            Some(Symbol::Alias(i)) => f.module.aliases.get(*i),
            _ => None,
        });
        alias.is_some_and(|a| !a.text.contains('('))
    }

    /// A symbol that an object file without a record brought into the base.
    pub fn foreign(&self, symbol: &str) -> Option<BaseSymbol> {
        let name = unescape(symbol);
        if let Some(wanted) = name.trim_start_matches('\u{1}').strip_prefix(STATIC) {
            return self.static_of(wanted);
        }
        // What the base exports, the dynamic linker finds by itself, with its own rules.
        if name.starts_with("__dsu_") || self.old.build.exported.binary_search(&name).is_ok() {
            return None;
        }
        // A local symbol is meant where the new build's linker found it, too, and nothing else.
        let new = self.new.build;
        let is_meant = !new.imported.contains_key(&name) && !new.defined.contains_key(&name);
        let both = is_meant && new.names.local.contains_key(&name);
        let local = || self.old.build.names.local.get(&name).filter(|_| both);
        let found = self.old.build.defined.get(&name).or_else(local)?;
        let kind = if found.tls { BaseKind::Tls } else { BaseKind::Data };
        Some(BaseSymbol { name, value: found.address, kind, record: None, unit: String::new() })
    }

    /// `unit!name`, a `static` of the base that a hooks file asks for.
    fn static_of(&self, wanted: &str) -> Option<BaseSymbol> {
        let (unit, name) = wanted.split_once('!')?;
        let mut units = self.old.build.units.iter().filter(|u| u.name == unit || u.name.ends_with(&format!("/{unit}")));
        let found = units.next().filter(|_| units.next().is_none())?;
        let record = found.symbols.iter().find(|s| s.name == name && s.is_present())?;
        let kind = match () {
            () if record.is(SymbolKind::Tls) => BaseKind::Tls,
            () if record.is(SymbolKind::Data) => BaseKind::Data,
            () => BaseKind::Function,
        };
        let (name, unit) = (record.name.clone(), found.name.clone());
        Some(BaseSymbol { name, value: record.address, kind, record: Some(record.clone()), unit })
    }

    /// The printed name that a function of a new unit has in the old one.
    pub fn former_name<'n>(&'n self, pair: Pair, symbol: &'n str) -> &'n str {
        let both = pair.new.and_then(|i| self.new.facts(i)).zip(pair.old.and_then(|i| self.old.facts(i)));
        both.map_or(symbol, |(new, old)| new.name_in(old, symbol))
    }

    /// Does a variable or constant have the same content in both builds?
    pub fn is_unchanged(&self, definition: &Definition) -> bool {
        let Some(new) = self.new.facts(definition.0) else { return true };
        let key = new.names.key(&definition.1);
        let hash = new.globals.get(key);
        hash.is_some() && self.before(definition).and_then(|(facts, _)| facts.globals.get(key)) == hash
    }
}
