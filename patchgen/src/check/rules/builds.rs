//! Rules about the two builds as a whole, before anything is compared.

use std::collections::BTreeMap;

use dsu_abi::symbols::Linkage;

use crate::build::pair::Pair;
use crate::build::{Build, UnitSymbol};
use crate::compare::side::Side;
use crate::ir::Module;
use crate::ir::lex::{Kind, tokens};
use crate::problem::{Problem, Reason, Result};

/// Module flags that describe debug information.
const ABOUT_DEBUG: [&str; 3] = ["!\"Debug Info Version\"", "!\"Dwarf Version\"", "!\"debug-info-assignment-tracking\""];

/// Are the two builds of one program, made the same way?
pub fn check_builds(old: &Build, new: &Build, pairs: &[Pair]) -> Result<()> {
    if old.machine != new.machine {
        let message = format!("is for machine {}, the base for {}", new.machine, old.machine);
        return Err(Problem::new(Reason::DifferentMachine, &new.name, message));
    }
    if old.is_library() != new.is_library() {
        let kind = |b: &Build| if b.is_library() { "a library" } else { "an executable" };
        let message = format!("is {}, the base is {}", kind(new), kind(old));
        return Err(Problem::new(Reason::OtherProgram, &new.name, message));
    }
    if !pairs.iter().any(|p| p.old.is_some() && p.new.is_some()) {
        let message = format!("shares no source file with the base `{}`", old.name);
        return Err(Problem::new(Reason::OtherProgram, &new.name, message));
    }
    check_records(old, new, pairs)?;
    for pair in pairs {
        if let (Some(o), Some(n)) = (pair.old, pair.new) {
            let (o, n) = (&old.units[o], &new.units[n]);
            if o.producer != n.producer {
                let message = format!("was compiled by `{}`, in the base by `{}`", n.producer, o.producer);
                return Err(Problem::new(Reason::DifferentFlags, &n.name, message));
            }
            let (before, after) = (for_code(&o.flags), for_code(&n.flags));
            if before != after {
                let gone = before.iter().find(|f| !after.contains(f));
                let come = after.iter().find(|f| !before.contains(f));
                let message = match (gone, come) {
                    (Some(gone), Some(come)) => format!("was compiled with `{come}`, in the base with `{gone}`"),
                    (Some(gone), None) => format!("was compiled without `{gone}`, in the base with it"),
                    (None, Some(come)) => format!("was compiled with `{come}`, in the base without it"),
                    (None, None) => String::from("was compiled with the same flags in another order"),
                };
                return Err(Problem::new(Reason::DifferentFlags, &n.name, message));
            }
        }
    }
    Ok(())
}

/// A unit that only one build has a record of, although its functions are in the other one too, was compiled
/// differently there: what it does cannot be compared.
fn check_records(old: &Build, new: &Build, pairs: &[Pair]) -> Result<()> {
    for pair in pairs {
        let (unit, other, message) = match (pair.old, pair.new) {
            (Some(o), None) => (&old.units[o], new, "has no record in the new build, which holds its functions"),
            (None, Some(n)) => (&new.units[n], old, "has no record in the base, which holds its functions"),
            _ => continue,
        };
        let recorded = |name: &str| other.units.iter().any(|u| u.symbol(name).is_some());
        let strong = |s: &&UnitSymbol| s.is_function() && s.linkage == Linkage::Global as u8 && s.is_present();
        let mut functions = unit.symbols.iter().filter(strong);
        if let Some(found) = functions.find(|s| other.defined.contains_key(&s.name) && !recorded(&s.name)) {
            let message = format!("{message}, `{}` for one", found.name);
            return Err(Problem::new(Reason::NotInstrumented, &unit.name, message));
        }
    }
    Ok(())
}

/// Were the units of both builds compiled for the same target, with the same flags of the whole module? The
/// command line does not tell everything: a compiler's configuration file adds to it.
pub fn check_modules(old: &Side<'_>, new: &Side<'_>, pairs: &[Pair]) -> Vec<Problem> {
    let mut out = Vec::new();
    for pair in pairs {
        let before = pair.old.and_then(|i| old.facts(i));
        let after = pair.new.and_then(|i| new.facts(i));
        let Some((before, after)) = before.zip(after) else { continue };
        let (was, is) = (settings(&before.module), settings(&after.module));
        let name = was.keys().chain(is.keys()).find(|name| was.get(*name) != is.get(*name));
        if let Some(name) = name {
            let value = |s: &BTreeMap<String, String>| s.get(name).map_or("nothing".to_owned(), |v| format!("`{v}`"));
            let message = format!("was compiled with {name} set to {}, in the base to {}", value(&is), value(&was));
            out.push(Problem::new(Reason::DifferentFlags, &after.unit.name, message));
        }
    }
    out
}

/// What holds for all of a module: target lines and module flags, by name.
fn settings(module: &Module<'_>) -> BTreeMap<String, String> {
    let targets = module.target.iter().filter_map(|line| line.split_once(" = "));
    let mut out: BTreeMap<String, String> = targets.map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    let list = module.named_metadata.get("llvm.module.flags").copied().unwrap_or_default();
    for token in tokens(list).filter(|t| t.kind == Kind::Meta) {
        let node = module.node(token.text).unwrap_or_default();
        let Some(name) = tokens(node).find(|t| t.text.starts_with("!\"")) else { continue };
        let value = node.get(name.end()..).unwrap_or_default();
        let how = node.get(..name.at).unwrap_or_default();
        if !ABOUT_DEBUG.contains(&name.text) {
            let value = format!("{how}{value}").replace(['{', '}', '!'], "").replace(", ,", ",");
            out.insert(format!("module flag {}", &name.text[1..]), value);
        }
    }
    out
}

/// Flags that reach the code generator. What a macro or an include path does shows in the code itself.
fn for_code(flags: &[String]) -> Vec<&str> {
    let source = ["-D", "-U", "-I", "-i", "-W", "-w"];
    let prefix_map = |f: &str| f.contains("-prefix-map=") || f.starts_with("-fdebug-compilation-dir");
    flags.iter().map(String::as_str).filter(|f| !source.iter().any(|s| f.starts_with(s)) && !prefix_map(f)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_and_paths_are_no_code_flags() {
        let flags = ["-O2", "-DX=1", "-I.", "-Wall", "-ffile-prefix-map=/a=.", "-fPIC"].map(String::from);
        assert_eq!(for_code(&flags), ["-O2", "-fPIC"]);
    }
}
