//! Which unit of the new build continues which unit of the old one.

mod alike;

pub use alike::own_names;

use std::collections::{HashMap, HashSet};

use dsu_abi::symbols::Linkage;

use super::{Build, Unit};
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
    pairs.extend(alike::pairs(old, new, &mut old_only, &mut new_only));
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
        // `main` says nothing: every program has one. Nor does what many units hold a copy of, such as inline functions of C++.
        let own = unit.symbols.iter().filter(|s| s.linkage == Linkage::Global as u8 && s.name != "main");
        own.map(|s| s.name.clone()).collect()
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
