//! Names that survive a rebuild. Static locals are numbered by the compiler (`f.x`, `f.x.1`), so they are known
//! by function, name and order instead; everything else by its name.

use std::collections::{BTreeMap, HashMap};

use crate::ir::Module;
use crate::ir::lex::unescape;

/// Static locals that share function and name, in order: printed name and definition.
type Group = Vec<(String, String)>;

/// Stable keys of a module's variables.
#[derive(Debug, Default, Clone)]
pub struct Keys {
    by_name: HashMap<String, String>,
    by_key: HashMap<String, String>,
    groups: BTreeMap<String, Group>,
    /// Strings that say when the unit was compiled: they differ in every build.
    pub stamps: Vec<String>,
    /// Groups that could not be matched with the other build's.
    pub ambiguous: Vec<String>,
}

impl Keys {
    /// Reads them off the module's debug information.
    pub fn of(module: &Module<'_>) -> Self {
        let mut keys = Keys::default();
        for global in module.globals.iter().filter(|g| g.linkage == "internal") {
            let Some(base) = static_local(module, global) else { continue };
            let definition = format!("{} {}", global.kind_of_value, global.initialiser.unwrap_or_default());
            keys.groups.entry(base).or_default().push((global.name.to_owned(), definition));
        }
        for (base, group) in keys.groups.clone() {
            for (number, (name, _)) in group.into_iter().enumerate() {
                keys.name_as(&name, format!("{base}#{}", number + 1));
            }
        }
        keys
    }

    /// Makes this the key of a printed name.
    pub fn name_as(&mut self, name: &str, key: String) {
        self.by_key.insert(key.clone(), name.to_owned());
        self.by_name.insert(name.to_owned(), key);
    }

    /// Gives this (new) side's static locals the keys of the old ones they continue, where their number changed.
    pub fn continue_from(&mut self, old: &Keys) {
        for (base, group) in self.groups.clone() {
            let Some(before) = old.groups.get(&base).filter(|b| b.len() != group.len()) else { continue };
            let definitions = |g: &Group| -> Vec<String> { g.iter().map(|(_, d)| d.clone()).collect() };
            let Some(places) = match_up(&definitions(before), &definitions(&group)) else {
                self.ambiguous.push(base);
                continue;
            };
            for number in 1..=group.len() {
                self.by_key.remove(&format!("{base}#{number}"));
            }
            let mut fresh = before.len().max(group.len());
            for (at, (name, _)) in group.into_iter().enumerate() {
                let number = places[at].unwrap_or_else(|| {
                    fresh += 1;
                    fresh - 1
                });
                self.name_as(&name, format!("{base}#{}", number + 1));
            }
        }
    }

    /// The key of a printed name.
    pub fn key<'k>(&'k self, name: &'k str) -> &'k str {
        self.by_name.get(name).map_or(name, String::as_str)
    }

    /// The function a static local belongs to.
    pub fn owner<'k>(&'k self, name: &'k str) -> Option<&'k str> {
        let (base, _) = self.by_name.get(name)?.rsplit_once('#')?;
        base.split_once("::").map(|(function, _)| function)
    }

    /// How many static locals share function and name with this one, itself included; 1 for anything else.
    pub fn siblings(&self, name: &str) -> usize {
        let group = self.key(name).rsplit_once('#').and_then(|(base, _)| self.groups.get(base));
        group.map_or(1, Vec::len)
    }

    /// The printed name behind a key.
    pub fn name<'k>(&'k self, key: &'k str) -> &'k str {
        self.by_key.get(key).map_or(key, String::as_str)
    }
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

/// `function::name`, plus the piece for a variable that was split.
fn static_local<'a>(module: &Module<'a>, global: &crate::ir::Global<'a>) -> Option<String> {
    let variable = module.variable(global)?;
    let scope = variable.get("scope").filter(|s| *s != "null")?;
    let function = module.subprogram(scope)?.text("name")?;
    let expression = module.debug_node(global.debug()?)?.get("expr").unwrap_or_default();
    let piece = expression.split("DW_OP_LLVM_fragment").nth(1).map_or("", |p| p.trim_end_matches(')'));
    Some(format!("{function}::{}{piece}", variable.text("name").unwrap_or_else(|| unescape(global.name))))
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
        let keys = Keys::of(&Module::parse(text).expect("valid"));
        assert_eq!((keys.key("f.x"), keys.key("f.x.1"), keys.key("y")), ("f::x#1", "f::x#2", "y"));
        assert_eq!(keys.name("f::x#2"), "f.x.1");
        assert_eq!((keys.siblings("f.x.1"), keys.siblings("y")), (2, 1));
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
