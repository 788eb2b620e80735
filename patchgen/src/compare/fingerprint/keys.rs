//! Names that survive a rebuild. A variable that only its unit can name is known by its declaration and the bits of it that an
//! object holds, since the compiler numbers static locals (`f.x`, `f.x.1`) and the pieces of what it splits (`s.0`, `s.1`) as
//! they come; everything else by its name.

use std::collections::{BTreeMap, HashMap};

use crate::compare::layout::shape::describe;
use crate::ir::lex::tokens;
use crate::ir::line::Line;
use crate::ir::variables::{Variable, variables};
use crate::ir::{Global, Module};

/// Variables that share their path, in order.
type Group = Vec<Named>;

/// A variable and what its objects' keys begin with.
#[derive(Debug, Clone)]
pub struct Named {
    /// What the keys of its objects begin with.
    pub stem: String,
    /// The variable.
    pub variable: Variable,
    /// Its type in words.
    pub kind: String,
}

/// A piece of a variable that is one object in the base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inside {
    /// Printed name of that object.
    pub whole: String,
    /// Bytes before the piece.
    pub offset: u64,
    /// Why new code cannot use it there.
    pub problem: Option<&'static str>,
}

/// Stable names of a module's variables.
#[derive(Debug, Default, Clone)]
pub struct StableNames {
    by_name: HashMap<String, String>,
    by_key: HashMap<String, String>,
    groups: BTreeMap<String, Group>,
    /// Printed name -> path of its group.
    paths: HashMap<String, String>,
    /// Printed name -> how the value is kept.
    forms: HashMap<String, String>,
    inside: BTreeMap<String, Inside>,
    /// Strings that say when the unit was compiled: they differ in every build.
    pub build_timestamps: Vec<String>,
    /// Groups that could not be matched with the other build's.
    pub ambiguous: Vec<String>,
    /// Variables of the other build that each of these may continue, where that is not certain.
    pub doubtful: BTreeMap<String, Vec<String>>,
}

impl StableNames {
    /// Reads them off the module's debug information.
    pub fn of(module: &Module<'_>) -> Self {
        let mut names = StableNames::default();
        for variable in variables(module) {
            let kind = describe(module, variable.kind.as_deref(), 0);
            let path = super::without_unique(&variable.path);
            names.groups.entry(path).or_default().push(Named { stem: String::new(), variable, kind });
        }
        for (path, mut group) in std::mem::take(&mut names.groups) {
            for (number, named) in group.iter_mut().enumerate() {
                names.number(&path, named, number);
            }
            names.groups.insert(path, group);
        }
        names
    }

    fn number(&mut self, path: &str, named: &mut Named, number: usize) {
        let alone = number == 0 && named.variable.owner.is_none();
        named.stem = if alone { path.to_owned() } else { format!("{path}#{}", number + 1) };
        for part in &named.variable.parts {
            let bits = part.bits.map_or(String::new(), |(offset, size)| format!("[{offset}+{size}]"));
            self.name_as(&part.name, format!("{}{bits}", named.stem));
            self.paths.insert(part.name.clone(), path.to_owned());
            self.forms.insert(part.name.clone(), part.form.clone());
        }
    }

    /// Makes this the key of a printed name.
    pub fn name_as(&mut self, name: &str, key: String) {
        self.by_key.insert(key.clone(), name.to_owned());
        self.by_name.insert(name.to_owned(), key);
    }

    /// Gives this (new) side's variables the keys of the old ones they continue, where they are numbered otherwise, and finds
    /// pieces of what the old side has in one.
    pub fn continue_from(&mut self, old: &StableNames, modules: (&Module<'_>, &Module<'_>)) {
        for (path, mut group) in std::mem::take(&mut self.groups) {
            if let Some(before) = old.groups.get(&path) {
                self.renumber(&path, before, &mut group);
                for (was, is) in
                    before.iter().flat_map(|b| group.iter().filter(|n| n.stem == b.stem).map(move |n| (b, n)))
                {
                    self.find_inside(modules, old, was, is);
                }
            }
            self.groups.insert(path, group);
        }
    }

    fn renumber(&mut self, path: &str, before: &Group, group: &mut Group) {
        let definitions = |g: &Group| -> Vec<String> { g.iter().map(|named| named.variable.definition()).collect() };
        let (was, is) = (definitions(before), definitions(group));
        if was.len() == is.len() && (was == is || !is_permuted(&was, &is)) {
            return;
        }
        let places = if was.len() == is.len() { permutation(&was, &is) } else { match_up(&was, &is) };
        let Some(places) = places else {
            self.ambiguous.push(path.to_owned());
            return;
        };
        for named in group.iter() {
            named.variable.parts.iter().for_each(|part| drop(self.by_key.remove(self.by_name[&part.name].as_str())));
        }
        let mut fresh = was.len().max(is.len());
        for (named, place) in group.iter_mut().zip(places) {
            let number = place.unwrap_or_else(|| {
                fresh += 1;
                fresh - 1
            });
            self.number(path, named, number);
        }
    }

    /// A piece of a variable that the old side has as one object is found there.
    fn find_inside(
        &mut self,
        (old_module, module): (&Module<'_>, &Module<'_>),
        old: &StableNames,
        was: &Named,
        is: &Named,
    ) {
        for part in is.variable.parts.iter().filter(|p| !p.constant) {
            if old.by_key.contains_key(self.key(&part.name)) {
                continue;
            }
            let covers = |b: &&crate::ir::variables::Part| match (b.bits, part.bits) {
                (None, Some(_)) => true,
                (Some((from, size)), Some((at, length))) => from <= at && at + length <= from + size,
                _ => false,
            };
            let Some(whole) = was.variable.parts.iter().find(covers) else { continue };
            let objects = old_module.global_named(&whole.name).zip(module.global_named(&part.name));
            let (Some((before, after)), Some((at, _))) = (objects, part.bits) else { continue };
            let offset = (at - whole.bits.map_or(0, |b| b.0)) / 8;
            let plain = part.form.is_empty() && whole.form.is_empty() && was.kind == is.kind;
            let problem = match () {
                () if !plain => Some("is kept in another form there"),
                () if before.constant => Some("is a constant there"),
                () if before.tls.is_some() != after.tls.is_some() => Some("is thread-local in one of the builds only"),
                () if !(is_aligned(before, after, offset) || is_scalar(module, after, offset)) => {
                    Some("is not aligned there as new code expects it")
                }
                () if !(is_zero(before) && is_zero(after)) => Some("may have another first value there"),
                () => None,
            };
            self.inside.insert(part.name.clone(), Inside { whole: whole.name.clone(), offset, problem });
        }
    }

    /// Whether a printed name is that of a variable which is known by its declaration.
    pub fn knows(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// The key of a printed name.
    pub fn key<'k>(&'k self, name: &'k str) -> &'k str {
        self.by_name.get(name).map_or(name, String::as_str)
    }

    /// The object of the old side that holds this piece of a variable.
    pub fn inside(&self, name: &str) -> Option<&Inside> {
        self.inside.get(name)
    }

    /// All of these.
    pub fn all_inside(&self) -> impl Iterator<Item = (&str, &Inside)> {
        self.inside.iter().map(|(name, inside)| (name.as_str(), inside))
    }

    /// How the value of an object is kept, where not as it is.
    pub fn form(&self, name: &str) -> &str {
        self.forms.get(name).map_or("", String::as_str)
    }

    /// The variables, with what is left of them.
    pub fn variables(&self) -> impl Iterator<Item = &Named> {
        self.groups.values().flatten()
    }

    /// The variable that an object holds or is a piece of.
    pub fn variable(&self, name: &str) -> Option<&Named> {
        let group = self.groups.get(self.paths.get(name)?)?;
        group.iter().find(|named| named.variable.parts.iter().any(|part| part.name == name))
    }

    /// The function a static local belongs to.
    pub fn owner(&self, name: &str) -> Option<&str> {
        self.variable(name)?.variable.owner.as_deref()
    }

    /// How many variables share their path with this one, itself included; 1 for anything else.
    pub fn siblings(&self, name: &str) -> usize {
        self.paths.get(name).and_then(|path| self.groups.get(path)).map_or(1, Vec::len)
    }

    /// The printed name behind a key.
    pub fn name<'k>(&'k self, key: &'k str) -> &'k str {
        self.by_key.get(key).map_or(key, String::as_str)
    }
}

fn is_zero(global: &Global<'_>) -> bool {
    let zeros = ["zeroinitializer", "0", "null", "false", "0.000000e+00"];
    global.initialiser.is_some_and(|i| zeros.contains(&i))
}

/// Is an object aligned well enough for a piece at this offset?
fn is_aligned(whole: &Global<'_>, piece: &Global<'_>, offset: u64) -> bool {
    let align = |g: &Global<'_>| {
        let item = g.tail_items().into_iter().find_map(|i| i.strip_prefix("align "));
        item.and_then(|n| n.parse::<u64>().ok()).unwrap_or(1)
    };
    align(whole) >= align(piece) && offset.is_multiple_of(align(piece))
}

/// Is a piece used by plain loads and stores of one number alone? Those need no alignment but its own.
fn is_scalar(module: &Module<'_>, piece: &Global<'_>, offset: u64) -> bool {
    let size = match piece.value_type {
        "i8" => 1,
        "i16" => 2,
        "i32" | "float" => 4,
        "i64" | "ptr" | "double" => 8,
        _ => return false,
    };
    let symbol = format!("@{}", piece.name);
    let names = |text: &str| tokens(text).any(|t| t.text == symbol);
    let plain = |line: &Line<'_>| {
        let by_itself = line.operands().iter().any(|operand| operand.strip_prefix("ptr ") == Some(symbol.as_str()));
        matches!(line.opcode(), "load" | "store") && by_itself && !line.words().iter().any(|t| t.is("<"))
    };
    let mut bodies = module.functions.iter().filter_map(|f| f.body).filter(|b| b.contains(&symbol));
    let in_data = module.globals.iter().any(|g| g.initialiser.is_some_and(|i| i.contains(&symbol) && names(i)));
    let lines = |body| Line::all(body).into_iter().filter(|line| names(line.text));
    offset.is_multiple_of(size) && !in_data && bodies.all(|body| lines(body).all(|line| plain(&line)))
}

fn is_permuted(old: &[String], new: &[String]) -> bool {
    let (mut old, mut new) = (old.to_vec(), new.to_vec());
    old.sort_unstable();
    new.sort_unstable();
    old == new
}

/// For each new definition the old one that is the same; `None` when several are.
fn permutation(old: &[String], new: &[String]) -> Option<Vec<Option<usize>>> {
    let only = |list: &[String], item: &String| list.iter().filter(|other| *other == item).count() == 1;
    let place = |item: &String| {
        let at = old.iter().position(|other| other == item)?;
        (only(old, item) && only(new, item)).then_some(Some(at))
    };
    new.iter().map(place).collect()
}
/// For each new definition the old one it continues, when the shorter list fits into the longer in one way only.
fn match_up(old: &[String], new: &[String]) -> Option<Vec<Option<usize>>> {
    let (short, long) = if old.len() < new.len() { (old, new) } else { (new, old) };
    let places = only_embedding(short, long)?;
    if old.len() < new.len() {
        let mut out = vec![None; new.len()];
        for (at, place) in places.into_iter().enumerate() {
            out[place] = Some(at);
        }
        return Some(out);
    }
    Some(places.into_iter().map(Some).collect())
}

/// Where the items of `short` stand in `long`, in order; `None` when there are no or several ways.
fn only_embedding(short: &[String], long: &[String]) -> Option<Vec<usize>> {
    let leftmost = greedy(short.iter(), long.iter().enumerate())?;
    let mut rightmost = greedy(short.iter().rev(), long.iter().enumerate().rev())?;
    rightmost.reverse();
    (leftmost == rightmost).then_some(leftmost)
}

fn greedy<'k>(
    short: impl Iterator<Item = &'k String>,
    mut long: impl Iterator<Item = (usize, &'k String)>,
) -> Option<Vec<usize>> {
    short.map(|item| long.by_ref().find(|(_, other)| *other == item).map(|(at, _)| at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn static_locals_are_known_by_function_name_and_order() {
        let text = r#"@f.x = internal global i32 0, align 4, !dbg !0
@f.x.1 = internal global i32 0, align 4, !dbg !3
@y = internal global i32 0, align 4, !dbg !5
!0 = !DIGlobalVariableExpression(var: !1, expr: !DIExpression())
!1 = distinct !DIGlobalVariable(name: "x", scope: !2)
!2 = distinct !DISubprogram(name: "f")
!3 = !DIGlobalVariableExpression(var: !4, expr: !DIExpression())
!4 = distinct !DIGlobalVariable(name: "x", scope: !7)
!5 = !DIGlobalVariableExpression(var: !6, expr: !DIExpression())
!6 = distinct !DIGlobalVariable(name: "y", scope: !8)
!7 = distinct !DILexicalBlock(scope: !2)
!8 = distinct !DICompileUnit(language: DW_LANG_C11)
"#;
        let names = StableNames::of(&Module::parse(text).expect("valid"));
        assert_eq!((names.key("f.x"), names.key("f.x.1"), names.key("y")), ("f::x#1", "f::x#2", "y"));
        assert_eq!(names.name("f::x#2"), "f.x.1");
        assert_eq!((names.siblings("f.x.1"), names.siblings("y")), (2, 1));
    }

    fn matched(old: &[&str], new: &[&str]) -> Option<Vec<Option<usize>>> {
        let own = |list: &[&str]| -> Vec<String> { list.iter().map(|s| s.to_string()).collect() };
        match_up(&own(old), &own(new))
    }

    #[test]
    fn a_new_static_before_old_ones_is_told_apart() {
        assert_eq!(matched(&["0", "0"], &["5", "0", "0"]), Some(vec![None, Some(0), Some(1)]));
        assert_eq!(matched(&["5", "0", "0"], &["0", "0"]), Some(vec![Some(1), Some(2)]));
    }

    #[test]
    fn equal_ones_of_another_number_cannot_be() {
        assert_eq!(matched(&["0"], &["0", "0"]), None);
        assert_eq!(matched(&["0", "0"], &["0", "0", "0"]), None);
        assert_eq!(matched(&["1"], &["2", "3"]), None);
    }
}
