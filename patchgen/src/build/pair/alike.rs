//! Pairs units that have neither a name nor a global symbol of their own in common: by the end of their paths, as for two
//! folders with a build in each; then by what they define.

use std::collections::{BTreeSet, HashMap};

use dsu_abi::symbols::Linkage;

use super::Pair;
use crate::build::{Build, Unit};

/// What units are compared by.
struct Traits<'u> {
    /// Names of what no other unit of its build defines, `main` and static things included.
    own: BTreeSet<&'u str>,
    /// The same with what many units may hold a copy of.
    all: BTreeSet<&'u str>,
    path: Vec<&'u str>,
}

/// How alike two units are; `None` when nothing says that they are the same.
type Likeness = dyn Fn(&Traits<'_>, &Traits<'_>) -> Option<u64>;

/// Takes those out that are more alike than either is to any other unit that is left.
pub(super) fn pairs(old: &Build, new: &Build, olds: &mut Vec<usize>, news: &mut Vec<usize>) -> Vec<Pair> {
    let (in_old, in_new) = (own_names(old), own_names(new));
    let mut out = Vec::new();
    for likeness in [&by_path as &Likeness, &by_content] {
        loop {
            let before: Vec<Traits<'_>> = olds.iter().map(|&o| traits(&old.units[o], &in_old[o])).collect();
            let after: Vec<Traits<'_>> = news.iter().map(|&n| traits(&new.units[n], &in_new[n])).collect();
            let found = mutual(&before, &after, likeness);
            if found.is_empty() {
                break;
            }
            let chosen: Vec<(usize, usize)> = found.into_iter().map(|(o, n)| (olds[o], news[n])).collect();
            olds.retain(|o| chosen.iter().all(|c| c.0 != *o));
            news.retain(|n| chosen.iter().all(|c| c.1 != *n));
            out.extend(chosen.into_iter().map(|(o, n)| Pair { old: Some(o), new: Some(n), certain: true }));
        }
    }
    out
}

/// For each unit the names that it alone defines: not what headers bring into many of them.
pub fn own_names(build: &Build) -> Vec<BTreeSet<&str>> {
    let counted = [Linkage::Global as u8, Linkage::Local as u8];
    fn names(unit: &Unit, counted: [u8; 2]) -> BTreeSet<&str> {
        unit.symbols.iter().filter(|s| counted.contains(&s.linkage)).map(|s| s.name.as_str()).collect()
    }
    let mut all: Vec<BTreeSet<&str>> = build.units.iter().map(|unit| names(unit, counted)).collect();
    let mut times: HashMap<&str, usize> = HashMap::new();
    all.iter().flatten().for_each(|name| *times.entry(name).or_default() += 1);
    all.iter_mut().for_each(|names| names.retain(|name| times[name] == 1));
    all
}

fn traits<'u>(unit: &'u Unit, own: &BTreeSet<&'u str>) -> Traits<'u> {
    let all = unit.symbols.iter().map(|s| s.name.as_str()).collect();
    Traits { own: own.clone(), all, path: unit.name.split('/').collect() }
}

/// Those that are each other's only best.
fn mutual(before: &[Traits<'_>], after: &[Traits<'_>], likeness: &Likeness) -> Vec<(usize, usize)> {
    let table: Vec<Vec<Option<u64>>> = before.iter().map(|o| after.iter().map(|n| likeness(o, n)).collect()).collect();
    let best_of = |values: Vec<Option<u64>>| {
        let best = values.iter().flatten().max()?;
        let mut all = values.iter().enumerate().filter(|(_, v)| v.as_ref() == Some(best));
        let (at, _) = all.next()?;
        all.next().is_none().then_some(at)
    };
    let rows = table.iter().enumerate().filter_map(|(o, row)| Some((o, best_of(row.clone())?)));
    rows.filter(|&(o, n)| best_of(table.iter().map(|row| row[n]).collect()) == Some(o)).collect()
}

/// Length of the common end of their paths, where they define something of one name as well.
fn by_path(old: &Traits<'_>, new: &Traits<'_>) -> Option<u64> {
    let common = old.path.iter().rev().zip(new.path.iter().rev()).take_while(|(o, n)| o == n).count();
    let speaks = !old.all.is_disjoint(&new.all) || (old.all.is_empty() && new.all.is_empty());
    (common > 0 && speaks).then_some(common as u64)
}

/// How many names they have in common, where that is half of what either has.
fn by_content(old: &Traits<'_>, new: &Traits<'_>) -> Option<u64> {
    let common = old.own.intersection(&new.own).count();
    (common > 0 && common * 2 >= old.own.len().max(new.own.len())).then_some(common as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit<'u>(path: &'u str, names: &[&'u str]) -> Traits<'u> {
        let own: BTreeSet<&str> = names.iter().copied().collect();
        Traits { all: own.clone(), own, path: path.split('/').collect() }
    }

    #[test]
    fn the_longest_common_end_of_a_path_decides() {
        let old = [unit("/a/old/x/main.c", &["main"]), unit("/a/old/y/main.c", &["main"])];
        let new = [unit("/b/new/y/main.c", &["main"]), unit("/b/new/x/main.c", &["main"])];
        assert_eq!(mutual(&old, &new, &by_path), [(0, 1), (1, 0)]);
    }

    #[test]
    fn two_that_could_be_meant_are_not_paired() {
        let old = [unit("/a/main.c", &["main"])];
        let new = [unit("/b/x/main.c", &["main"]), unit("/b/y/main.c", &["main"])];
        assert!(mutual(&old, &new, &by_path).is_empty());
    }

    #[test]
    fn half_of_what_either_defines_is_enough_and_less_is_not() {
        let old = unit("v1.c", &["main", "step"]);
        assert!(by_content(&old, &unit("v2.c", &["main", "step", "check"])).is_some());
        assert!(by_content(&old, &unit("v2.c", &["main", "a", "b", "c"])).is_none());
    }
}
