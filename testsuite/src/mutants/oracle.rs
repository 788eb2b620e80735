//! The oracle: which functions and data of a unit differ, read off two object files of plain clang's.
//!
//! Each function and each datum stands in a section of its own (`-ffunction-sections -fdata-sections`), so that whatever
//! refers to another one is a relocation. Two are the same when their bytes are, and each relocation leads to the same:
//! - a symbol with a name: the same name and addend;
//! - what has no name (strings, literals, tables of jumps, lookup tables): the same content, wherever it stands; so it
//!   belongs to the functions that use it, and merging and numbering make no difference;
//! - numbers that the compiler puts behind the name of a static are part of the name.
//!
//! A constant that only its unit knows is part of those who use it: one that differs or is new is listed with its users, whose
//! own code may be the same.
//!
//! Alignment, order and linkage are not compared: a call, a load or a store does not see them.
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use super::object::{ALLOC, EXECUTE, MERGE, NOBITS, OF_SECTION, Object, Relocation, STRINGS, Section, Symbol, WRITE};

/// Flags for the compilation of what the oracle reads.
pub const FLAGS: [&str; 3] = ["-ffunction-sections", "-fdata-sections", "-fno-ident"];

/// Functions and data of one object, each as a text that says all of it.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    functions: BTreeMap<String, String>,
    data: BTreeMap<String, String>,
    /// Constants of this unit, and the functions that use them, directly or through other data.
    constants: BTreeMap<String, BTreeSet<String>>,
}

/// How two objects differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Differences {
    /// Functions of both with other code.
    pub functions: BTreeSet<String>,
    /// Functions of the new one only.
    pub functions_added: BTreeSet<String>,
    /// Functions of the old one only.
    pub functions_removed: BTreeSet<String>,
    /// Constants of this unit that differ or are new, with the functions that use them.
    pub constants: BTreeMap<String, BTreeSet<String>>,
    /// Other data of both with other content.
    pub data: BTreeSet<String>,
    /// Other data of the new one only.
    pub data_added: BTreeSet<String>,
    /// Data of the old one only.
    pub data_removed: BTreeSet<String>,
}

impl Differences {
    /// Nothing differs.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Types of relocations whose place is not the place of an address but the distance to it.
const RELATIVE: [u32; 5] = [2, 4, 9, 41, 42];

/// Reads an object.
///
/// # Errors
/// When it cannot be read.
pub fn contents(path: &Path) -> Result<Contents> {
    let object = Object::read(path)?;
    let named = named(&object);
    let mut contents = Contents::default();
    for (index, section) in object.sections.iter().enumerate() {
        let is_table = section.name == ".eh_frame" || section.kind == 0x7000_0001;
        if section.flags & ALLOC == 0 || section.size == 0 || is_table {
            continue;
        }
        let executable = section.flags & EXECUTE != 0;
        let Some(name) = named.get(&index).cloned().or_else(|| executable.then(|| section.name.clone())) else {
            continue;
        };
        let reader = Reader { object: &object, named: &named };
        let text = reader.section(section, &mut Vec::new()).with_context(|| format!("section `{}`", section.name))?;
        let all = if executable { &mut contents.functions } else { &mut contents.data };
        all.insert(name.clone(), text);
        if executable {
            reader.constants(section, &mut BTreeSet::new(), &mut |constant| {
                contents.constants.entry(constant).or_default().insert(name.clone());
            });
        } else if reader.is_constant(index) {
            contents.constants.entry(name).or_default();
        }
    }
    Ok(contents)
}

/// Sections that have a name: that of the symbols in it, or that of a section whose entries are walked through.
fn named(object: &Object) -> BTreeMap<usize, String> {
    let mut names: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for symbol in object.symbols.iter().filter(|symbol| symbol.kind != OF_SECTION && !symbol.name.is_empty()) {
        let mergeable = |section: &Section| section.flags & MERGE != 0;
        if object.sections.get(symbol.section).is_some_and(|section| !mergeable(section) && section.flags & ALLOC != 0)
        {
            names.entry(symbol.section).or_default().insert(&symbol.name);
        }
    }
    let compilers = [".rodata", ".data", ".bss", ".text", ".tdata", ".tbss", ".lbss", ".lrodata", ".ldata"];
    for (index, section) in object.sections.iter().enumerate() {
        let is_compilers = |name: &str| compilers.iter().any(|known| name.starts_with(known));
        if section.flags & ALLOC != 0 && !is_compilers(&section.name) {
            names.entry(index).or_default().insert(&section.name);
        }
    }
    names.into_iter().map(|(index, names)| (index, names.into_iter().collect::<Vec<_>>().join(" "))).collect()
}

struct Reader<'o> {
    object: &'o Object,
    named: &'o BTreeMap<usize, String>,
}

impl Reader<'_> {
    /// Whether a section is a constant that only this unit knows.
    fn is_constant(&self, index: usize) -> bool {
        let section = &self.object.sections[index];
        let within = |symbol: &&Symbol| symbol.section == index && symbol.kind != OF_SECTION;
        let constant = section.flags & WRITE == 0 || section.name.starts_with(".data.rel.ro");
        constant && section.flags & EXECUTE == 0 && self.object.symbols.iter().filter(within).all(|symbol| symbol.local)
    }

    /// Tells the constants with a name that a section uses, directly or through other data.
    fn constants(&self, section: &Section, seen: &mut BTreeSet<usize>, tell: &mut dyn FnMut(String)) {
        for relocation in &section.relocations {
            let Some(symbol) = self.object.symbols.get(relocation.symbol) else { continue };
            let Some(used) = self.object.sections.get(symbol.section) else { continue };
            if used.flags & EXECUTE != 0 || used.flags & ALLOC == 0 || !seen.insert(symbol.section) {
                continue;
            }
            if let Some(name) = self.named.get(&symbol.section).filter(|_| self.is_constant(symbol.section)) {
                tell(name.clone());
            }
            self.constants(used, seen, tell);
        }
    }

    /// All of a section. `within` are the nameless ones that led here.
    fn section(&self, section: &Section, within: &mut Vec<usize>) -> Result<String> {
        let writable = if section.flags & WRITE != 0 { " writable" } else { "" };
        if section.kind == NOBITS {
            return Ok(format!("{} zero bytes{writable}", section.size));
        }
        let mut bytes = section.bytes.clone();
        let mut references = String::new();
        for relocation in &section.relocations {
            // The assembler leaves zeros there anyhow.
            let size = if matches!(relocation.kind, 1 | 24 | 17 | 18) { 8 } else { 4 };
            bytes.iter_mut().skip(relocation.offset).take(size).for_each(|byte| *byte = 0);
            let target = self.target(section, relocation, within)?;
            writeln!(references, "{:x}: {} {target}", relocation.offset, relocation.kind)?;
        }
        let mut text = String::new();
        bytes.iter().try_for_each(|byte| write!(text, "{byte:02x}"))?;
        Ok(format!("{text}{writable}\n{references}"))
    }

    fn target(&self, from: &Section, relocation: &Relocation, within: &mut Vec<usize>) -> Result<String> {
        let symbol = self.object.symbols.get(relocation.symbol).context("a relocation without a symbol")?;
        let index = symbol.section;
        let section = match self.object.sections.get(index).filter(|section| section.flags & ALLOC != 0) {
            Some(section) if !self.named.contains_key(&index) => section,
            // By the name of what is there, whether it is the symbol itself or its section that is referred to.
            defined => {
                let (name, value) = defined.map_or((&symbol.name, 0), |_| (&self.named[&index], symbol.value));
                return Ok(format!("{name}{:+}", i64::try_from(value)? + relocation.addend));
            }
        };
        let ahead = if RELATIVE.contains(&relocation.kind) { self.ahead(from, relocation.offset)? } else { 0 };
        let offset = i64::try_from(symbol.value)? + ahead + relocation.addend;
        let Ok(offset) = usize::try_from(offset) else { return Ok(format!("before {}", section.name)) };
        if section.flags & STRINGS != 0 {
            let unit = section.entry.max(1);
            let tail = section.bytes.get(offset..).unwrap_or_default();
            let end = tail.chunks(unit).position(|letter| letter.iter().all(|byte| *byte == 0));
            return Ok(format!(
                "string {:?}",
                String::from_utf8_lossy(&tail[..end.map_or(tail.len(), |end| end * unit)])
            ));
        }
        if section.flags & MERGE != 0 && section.entry != 0 && section.relocations.is_empty() {
            let begin = offset / section.entry * section.entry;
            let entry = section.bytes.get(begin..begin + section.entry).unwrap_or_default();
            return Ok(format!("literal {entry:02x?} + {}", offset - begin));
        }
        if within.contains(&index) {
            return Ok(format!("itself {} + {offset}", within.iter().position(|w| *w == index).unwrap_or_default()));
        }
        within.push(index);
        let content = self.section(section, within)?;
        within.pop();
        Ok(format!("{{{content}}} + {offset}"))
    }

    /// What distances are counted from, seen from a place: the end of an instruction, or the begin of a table.
    fn ahead(&self, section: &Section, offset: usize) -> Result<i64> {
        if section.flags & EXECUTE == 0 {
            return Ok(-i64::try_from(offset)?);
        }
        let begins = self.object.instructions.get(&section.name).map(Vec::as_slice).unwrap_or_default();
        let next = begins.get(begins.partition_point(|begin| *begin <= offset)).copied();
        Ok(i64::try_from(next.unwrap_or(section.size) - offset)?)
    }
}

/// What differs.
pub fn compare(old: &Contents, new: &Contents) -> Differences {
    let only = |here: &BTreeMap<String, String>, there: &BTreeMap<String, String>| -> BTreeSet<String> {
        here.keys().filter(|name| !there.contains_key(*name)).cloned().collect()
    };
    let differing = |old: &BTreeMap<String, String>, new: &BTreeMap<String, String>| -> BTreeSet<String> {
        let differs = |(name, text): &(&String, &String)| new.get(*name).is_some_and(|there| there != *text);
        old.iter().filter(differs).map(|(name, _)| name.clone()).collect()
    };
    let (mut data, mut data_added) = (differing(&old.data, &new.data), only(&new.data, &old.data));
    let mut constants = BTreeMap::new();
    for (name, users) in &new.constants {
        if data.remove(name) || data_added.remove(name) {
            let before = old.constants.get(name).into_iter().flatten();
            constants.insert(name.clone(), users.iter().chain(before).cloned().collect());
        }
    }
    Differences {
        functions: differing(&old.functions, &new.functions),
        functions_added: only(&new.functions, &old.functions),
        functions_removed: only(&old.functions, &new.functions),
        constants,
        data,
        data_added,
        data_removed: only(&old.data, &new.data),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::tools::PLAIN_CC;

    fn differences(old: &str, new: &str) -> Differences {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let read = |text: &str, name: &str| {
            let (source, object) = (folder.path().join("unit.c"), folder.path().join(name));
            std::fs::write(&source, text).expect("the folder is writable");
            let mut compile = Command::new(PLAIN_CC);
            compile.args(FLAGS).args(["-std=gnu89", "-O2", "-w", "-fPIE", "-c", "-o"]).arg(&object).arg(&source);
            assert!(compile.status().is_ok_and(|status| status.success()), "{text}");
            contents(&object).expect("clang's object can be read")
        };
        compare(&read(old, "old.o"), &read(new, "new.o"))
    }

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn numbering_and_merging_make_no_difference() {
        let rest = "double half(double d) { return d * 0.5; }\nvoid a(void) { say(\"a string\"); }\n\
            int e(int i) { switch (i) { case 0: return x(); case 1: return y(); case 2: return z(); case 3: return w(); } return 0; }\n\
            const char *n(int i) { switch (i) { case 0: return \"p\"; case 1: return \"q\"; case 2: return \"r\"; case 3: return \"s\"; } return 0; }\n";
        let old = format!("void say(const char *);\nvoid f(void) {{ say(\"other\"); }}\n{rest}");
        let new = format!(
            "void say(const char *);\nvoid f(void) {{ say(\"another one\"); say(\"q\"); scale(0.25); }}\n{rest}"
        );
        let expected = Differences { functions: names(&["f"]), ..Differences::default() };
        assert_eq!(differences(&old, &new), expected);
    }

    #[test]
    fn what_a_function_uses_without_a_name_is_part_of_it() {
        let one = |old: &str, new: &str| {
            let expected = Differences { functions: names(&["f"]), ..Differences::default() };
            assert_eq!(differences(old, new), expected, "{old}");
        };
        one("const char *f(void) { return \"abc\"; }", "const char *f(void) { return \"abd\"; }");
        one("double f(double d) { return d * 0.3; }", "double f(double d) { return d * 0.4; }");
        let table = "int f(int i) { switch (i) { case 0: return 7; case 1: return 3; case 2: return 9; case 3: return 1; } return 0; }";
        one(table, &table.replace('9', "8"));
        let jumps = "int f(int i) { switch (i) { case 0: return x(); case 1: return y(); case 2: return z(); case 3: return w(); } return 0; }";
        one(jumps, &jumps.replace("case 1", "case 5"));
        one("int f(void) { return g(1); }", "int f(void) { return h(1); }");
    }

    #[test]
    fn data_and_constants_are_told_apart() {
        let text = "static int state[2] = { 1, 2 };\nstatic const int table[9] = { 1, 2, 3 };\nint g(int i) { state[i]++; return state[i + 1]; }\n\
            int f(int i) { return table[i]; }\nconst int known = 5;\n";
        let seen = differences(text, &text.replace("{ 1, 2", "{ 4, 2").replace('5', "6"));
        let constants = [("table".to_owned(), names(&["f"]))].into();
        assert_eq!(seen, Differences { constants, data: names(&["known", "state"]), ..Differences::default() });
    }

    #[test]
    fn a_static_function_is_known_by_its_name() {
        let text = "static int f(int i) { return x() + i; }\nint (*const hooks[])(int) = { f };\n";
        assert!(differences(text, &text.replace("static ", "")).is_empty());
        let seen = differences(text, &text.replace("+ i", "- i"));
        assert_eq!(seen, Differences { functions: names(&["f"]), ..Differences::default() });
    }
}
