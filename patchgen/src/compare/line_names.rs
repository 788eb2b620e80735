//! Names that a macro made from the number of its line (`CAT(x, __LINE__)`), and those that the compiler made from the path of
//! the unit (`-funique-internal-linkage-names`): the things behind them are those of the base, although no name is the same.

use std::collections::BTreeMap;

use super::fingerprint::{StableNames, pattern, without_unique};
use crate::ir::debug::Node;
use crate::ir::lex::unescape;
use crate::ir::{Module, is_defined};

/// A variable or function whose name holds the number of its line.
#[derive(Debug, Clone)]
struct LineNamed {
    printed: String,
    line: u64,
    /// What it is, without numbers.
    shape: String,
    /// Other units could name it.
    visible: bool,
}

/// Whom each belongs with: the enclosing function, and the name without the number.
type Groups = BTreeMap<String, Vec<LineNamed>>;

/// Gives things of the new side the keys of those of the old side that they continue. Of a group that only one build has, each
/// keeps its name: its number means nothing there.
pub(super) fn continue_names(old: (&Module<'_>, &StableNames), module: &Module<'_>, names: &mut StableNames) {
    unique_names(old.0, module, names);
    let before = groups(old.0);
    for (group, after) in groups(module) {
        let Some(before) = before.get(&group) else { continue };
        let same = before.len() == after.len() && before.iter().zip(&after).all(|(b, a)| b.printed == a.printed);
        if same {
            continue;
        }
        let found = places(before, &after);
        // What others see is known by its name, which another one may have had.
        let certain = |places: &Vec<Option<usize>>| after.iter().zip(places).all(|(a, p)| p.is_some() || !a.visible);
        let Some(places) = found.filter(certain) else {
            names.ambiguous.push(group);
            continue;
        };
        for (item, place) in after.iter().zip(places) {
            let key = match place.and_then(|at| before.get(at)) {
                Some(earlier) => old.1.key(&earlier.printed).to_owned(),
                None => format!("{}#new", item.printed),
            };
            names.name_as(&item.printed, key);
        }
    }
}

/// The number in a unique name is a hash of the unit's path.
fn unique_names(old: &Module<'_>, module: &Module<'_>, names: &mut StableNames) {
    let mut before: BTreeMap<String, Option<&str>> = BTreeMap::new();
    for function in old.functions.iter().filter(|f| f.linkage == "internal" && is_defined(f)) {
        let plain = without_unique(function.name);
        before.entry(plain).and_modify(|other| *other = None).or_insert(Some(function.name));
    }
    for function in module.functions.iter().filter(|f| f.linkage == "internal" && is_defined(f)) {
        let plain = without_unique(function.name);
        if let Some(Some(earlier)) = before.get(&plain).filter(|e| e.is_some_and(|e| e != function.name)) {
            names.name_as(function.name, (*earlier).to_owned());
        }
    }
}

fn groups(module: &Module<'_>) -> Groups {
    let mut out = Groups::new();
    let mut add = |group: String, item| out.entry(group).or_default().push(item);
    let own = |linkage: &str| matches!(linkage, "internal" | "external");
    for global in module.globals.iter().filter(|g| own(g.linkage) && g.initialiser.is_some()) {
        let Some(node) = module.variable(global) else { continue };
        let (name, line) = (node.text("name").unwrap_or_default(), node.number("line"));
        let Some((pattern, number)) = pattern(&name, line) else { continue };
        let owner = node.get("scope").and_then(|s| module.subprogram(s)).and_then(|s| s.text("name"));
        let expression = global.debug().and_then(|d| module.debug_node(d)?.get("expr")).unwrap_or_default();
        let piece = expression.split("DW_OP_LLVM_fragment").nth(1).unwrap_or_default();
        let first = global.initialiser.unwrap_or_default().replace(&number.to_string(), "<line>");
        let shape = format!("{} {}", global.value_type, first.replace(&format!("i32 {line}"), "i32 <line>"));
        let visible = global.linkage != "internal";
        let item = LineNamed { printed: global.name.to_owned(), line, shape, visible };
        add(format!("{}::{pattern}{piece}", owner.unwrap_or_default()), item);
    }
    for function in module.functions.iter().filter(|f| own(f.linkage) && is_defined(f)) {
        let reference = function.after.split("!dbg ").nth(1).and_then(|t| t.split_whitespace().next());
        let Some(node) = reference.and_then(|r| module.debug_node(r)) else { continue };
        let (name, line) = (node.text("name").unwrap_or_default(), node.number("line"));
        let Some((pattern, _)) = pattern(&name, line).filter(|_| is_plain(&node, &unescape(function.name))) else {
            continue;
        };
        let code = function.body.unwrap_or_default().lines().filter(|l| !l.trim_start().starts_with("#dbg_"));
        let code = code.map(|l| l.split(", !").next().unwrap_or_default());
        let shape = code.flat_map(str::chars).filter(|c| !c.is_ascii_digit()).collect();
        let visible = function.linkage != "internal";
        add(format!("{pattern}()"), LineNamed { printed: function.name.to_owned(), line, shape, visible });
    }
    for group in out.values_mut() {
        group.sort_by_key(|item| item.line);
    }
    out
}

/// Not a piece that was cut off the function: that has its debug information, but is another thing.
fn is_plain(node: &Node<'_>, printed: &str) -> bool {
    let symbol = node.text("linkageName").or_else(|| node.text("name"));
    symbol.as_deref() == Some(printed)
}

/// For each new item the old one that it continues: all in their order, or the only way in which the fewer fit into the more.
fn places(old: &[LineNamed], new: &[LineNamed]) -> Option<Vec<Option<usize>>> {
    if old.len() == new.len() {
        return Some((0..new.len()).map(Some).collect());
    }
    let (short, long) = if old.len() < new.len() { (old, new) } else { (new, old) };
    let next = |from: usize, item: &LineNamed| (from..long.len()).find(|&at| long[at].shape == item.shape);
    let last = |to: usize, item: &LineNamed| (0..to).rev().find(|&at| long[at].shape == item.shape);
    let mut from = 0;
    let mut left = Vec::new();
    for item in short {
        let at = next(from, item)?;
        left.push(at);
        from = at + 1;
    }
    let mut to = long.len();
    for (item, first) in short.iter().zip(&left).rev() {
        to = last(to, item).filter(|at| at == first)?;
    }
    if old.len() > new.len() {
        return Some(left.into_iter().map(Some).collect());
    }
    let mut out = vec![None; new.len()];
    left.into_iter().enumerate().for_each(|(at, place)| out[place] = Some(at));
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(shapes: &[&str]) -> Vec<LineNamed> {
        let item = |(n, shape): (usize, &&str)| LineNamed {
            printed: format!("x{n}"),
            line: n as u64,
            shape: (*shape).to_owned(),
            visible: false,
        };
        shapes.iter().enumerate().map(item).collect()
    }

    #[test]
    fn as_many_as_before_are_the_same_in_their_order_and_others_only_if_certain() {
        assert_eq!(places(&items(&["a", "b"]), &items(&["a", "c"])), Some(vec![Some(0), Some(1)]));
        assert_eq!(places(&items(&["a", "b"]), &items(&["a", "c", "b"])), Some(vec![Some(0), None, Some(1)]));
        assert_eq!(places(&items(&["a", "c", "b"]), &items(&["a", "b"])), Some(vec![Some(0), Some(2)]));
        assert_eq!(places(&items(&["a"]), &items(&["a", "a"])), None);
    }
}
