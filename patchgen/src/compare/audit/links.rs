//! What the dynamic linker joins: what a build exports, in which version it imports what, which libraries it needs, and
//! numbers that the linker was told by name.

use std::collections::BTreeMap;

use super::Audit;
use super::side::Side;
use crate::build::Build;
use crate::build::image::{Dynamic, SymbolType};

/// `STT_OBJECT`, whose size other modules know.
const OBJECT: u8 = 1;

impl Audit<'_> {
    pub(super) fn links(&mut self) {
        self.imports();
        self.exports();
        self.numbers();
        self.libraries();
        let (old, new) = (self.old.build, self.new.build);
        if old.soname != new.soname {
            self.findings.section(".dynamic", "has another soname".to_owned());
        }
        if self.old.image.flags[2] != self.new.image.flags[2] {
            self.findings.section("PT_GNU_STACK", "has other rights for the stack".to_owned());
        }
    }

    /// Libraries that only one build needs: for what only it imports, or else they are there for what they do by themselves.
    fn libraries(&mut self) {
        let (old, new) = (self.old.build, self.new.build);
        let imports_more = |build: &Build, other: &Build, library: &String| {
            let mut more = build.imported.iter().filter(|(name, _)| !other.imported.contains_key(*name));
            more.any(|(_, from)| from == library || from.is_empty())
        };
        let left = |build: &Build, other: &Build| -> Vec<String> {
            let used = |library: &&String| other.needed.contains(*library) || !imports_more(build, other, library);
            build.needed.iter().filter(used).cloned().collect()
        };
        let (before, after) = (left(old, new), left(new, old));
        if before != after {
            let message = format!("needs {}, in the base {}", list(&new.needed), list(&old.needed));
            self.findings.section(".dynamic", message);
        }
    }

    /// What only one build imports is compared where code leads to it.
    fn imports(&mut self) {
        let (old, new) = (imports(&self.old), imports(&self.new));
        for (name, versions) in &new {
            if let Some(before) = old.get(name).filter(|before| *before != versions) {
                let message = format!("is imported in version {}, in the base in {}", list(versions), list(before));
                self.findings.symbol(name, message);
            }
        }
    }

    fn exports(&mut self) {
        let (old, new) = (exports(&self.old), exports(&self.new));
        for (name, before) in &old {
            let known = self.old.locate(before.address).is_some() && self.explained.is_old(before.address);
            match new.get(name) {
                _ if known => {}
                None => self.findings.symbol(name, "is exported by the base only".to_owned()),
                Some(after) if self.explained.is_new(after.address) => {}
                Some(after) if after.version != before.version => {
                    let message = format!(
                        "is exported in version {}, in the base in {}",
                        shown(&after.version),
                        shown(&before.version)
                    );
                    self.findings.symbol(name, message);
                }
                Some(after) if before.kind == OBJECT && after.kind == OBJECT && after.size != before.size => {
                    let message = format!("has {} bytes, in the base {}", after.size, before.size);
                    self.findings.symbol(name, message);
                }
                Some(after) if after.kind != before.kind => {
                    self.findings.symbol(name, "is exported as another kind of thing".to_owned());
                }
                Some(_) => {}
            }
        }
        for (name, after) in &new {
            let known = old.contains_key(name) || self.explained.is_new(after.address);
            // What is new altogether nobody who runs can ask for by name, unless he asks for what is not there.
            let existed = self.old.ranges.iter().any(|r| r.names.iter().any(|k| k.home == 0 && k.name == *name));
            if !known && existed {
                self.findings.symbol(name, "is exported by the new build only".to_owned());
            }
        }
    }

    /// `--defsym NAME=NUMBER`, and the sizes that `ld -b binary` makes.
    fn numbers(&mut self) {
        let (old, new) = (numbers(&self.old), numbers(&self.new));
        for (name, after) in &new {
            if let Some(before) = old.get(name).filter(|before| *before != after) {
                self.findings.symbol(name, format!("is the number {after:#x}, in the base {before:#x}"));
            }
        }
    }
}

fn imports<'a>(side: &Side<'a>) -> BTreeMap<&'a str, Vec<String>> {
    let mut out: BTreeMap<&'a str, Vec<String>> = BTreeMap::new();
    for symbol in side.image.dynamic.iter().filter(|s| !s.defined && !s.name.is_empty()) {
        out.entry(&symbol.name).or_default().push(symbol.version.clone());
    }
    out.values_mut().for_each(|versions| versions.sort());
    out
}

fn exports<'a>(side: &Side<'a>) -> BTreeMap<&'a str, &'a Dynamic> {
    let defined = side.image.dynamic.iter().filter(|s| s.defined && !s.name.is_empty());
    defined.map(|s| (s.name.as_str(), s)).collect()
}

fn numbers<'a>(side: &Side<'a>) -> BTreeMap<&'a str, u64> {
    let absolute = side.image.symbols.iter().filter(|s| s.kind == SymbolType::Absolute);
    absolute.map(|s| (s.name.as_str(), s.address)).collect()
}

fn shown(version: &str) -> String {
    if version.is_empty() { "no version".to_owned() } else { format!("`{version}`") }
}

fn list(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|n| shown(n)).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
