//! Variables that a patch adds. A later patch that adds them too goes on with their storage, so each is known by an
//! identity, and by what it is; patch code reaches it through words that the runtime fills
//! ([`dsu_abi::patch::CarriedVariable`]).

use crate::build::hex;
use crate::compare::closure::UpdateSet;
use crate::compare::fingerprint::Keys;
use crate::compare::resolve::{Definition, Resolver};
use crate::ir::lex::unescape;
use crate::ir::{Global, Module};

/// A variable that the patch adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// Which one it is.
    pub definition: Definition,
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// Hash of unit and stable name.
    pub identity: u64,
    /// What it is: its type to the last member, its alignment, what it starts with, and how many share its name.
    content: String,
}

impl Carried {
    /// Hash of what it is.
    pub fn shape(&self, size: u64) -> u64 {
        hash(&[&self.content, &size.to_string()])
    }
}

/// The variables of an update set: constants are content, and thread-local variables are refused.
pub(super) fn variables(resolver: &Resolver<'_, '_>, set: &UpdateSet) -> Vec<Carried> {
    let found = set.data.iter().filter_map(|definition| {
        let facts = resolver.new.facts(definition.0)?;
        let global = facts.module.global_named(&definition.1)?;
        if global.constant || global.tls.is_some() {
            return None;
        }
        let name = unescape(&definition.1);
        // Whatever other units can name is one in the whole program.
        let local = matches!(global.linkage, "internal" | "private");
        let identity = hash(&[if local { &facts.unit.name } else { "" }, facts.keys.key(&definition.1)]);
        let mut content = content(&facts.module, global, &facts.keys);
        // With another start it is another variable, just as one of the base would be.
        if let Some(start) = facts.globals.get(facts.keys.key(&definition.1)) {
            content.push_str(&hex(start));
        }
        Some(Carried { definition: definition.clone(), name, unit: facts.unit.name.clone(), identity, content })
    });
    found.collect()
}

fn content(module: &Module<'_>, global: &Global<'_>, keys: &Keys) -> String {
    let out = module.spelled_out(global.kind_of_value);
    let align = global.tail_items().into_iter().find(|item| item.starts_with("align ")).unwrap_or_default();
    // One of several static variables of a name is known by its number only while their number stays the same.
    format!("{out}, {align}, {}", keys.siblings(global.name))
}

/// The first 8 bytes of a BLAKE3 hash.
fn hash(parts: &[&str]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let [a, b, c, d, e, f, g, h, ..] = *hasher.finalize().as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content_of(text: &str) -> String {
        let module = Module::parse(text).expect("valid");
        let keys = Keys::of(&module);
        content(&module, &module.globals[0], &keys)
    }

    #[test]
    fn a_type_counts_by_what_is_in_it() {
        let plain = content_of(
            "%struct.a = type { i32, %struct.b }\n%struct.b = type { ptr }\n@x = internal global %struct.a zeroinitializer, align 8\n",
        );
        let renamed = content_of("%s = type { i32, %t }\n%t = type { ptr }\n@y = global %s zeroinitializer, align 8\n");
        assert_eq!(plain, renamed);
        for other in [
            "%s = type { i32, %t }\n%t = type { i64 }\n@y = global %s zeroinitializer, align 8\n",
            "%s = type { i32, %t }\n%t = type { ptr }\n@y = global %s zeroinitializer, align 16\n",
        ] {
            assert_ne!(plain, content_of(other));
        }
    }

    #[test]
    fn where_one_part_ends_matters() {
        assert_ne!(hash(&["a.c", "x"]), hash(&["a.", "cx"]));
        assert_eq!(hash(&["a.c", "x"]), hash(&["a.c", "x"]));
    }
}
