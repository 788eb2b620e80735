//! Canonical text of functions and variables, and its hash. Text is canonical when renaming, renumbering,
//! moving lines and adding debug information leave it alone, and anything else changes it.
//!
//! What is taken away, and why it cannot matter:
//! - numbers of values and blocks, of attribute groups, of metadata: names only; replaced by order or content;
//! - names of private and address-insignificant constants, of struct types: replaced by content;
//! - what `__DATE__` and `__TIME__` gave, and directories of the build, inside strings: no two builds share them;
//! - debug information, `!srcloc`: it steers no code;
//! - linkage (except weak), visibility, `dso_local`, `unnamed_addr`: they say who sees a symbol. Code that sees
//!   it differently is changed itself;
//! - inferred attributes that describe a function to its callers (`memory(...)`, `nosync`, ...): only IR
//!   optimisation reads them, and what it made of them is in the callers' text, which is compared.

mod canon;
mod keys;
mod metadata;
mod own_line;
pub mod signature;

pub use canon::{Canon, Canonical, instructions};
pub use keys::{Inside, Named, StableNames};
pub use own_line::pattern;

/// A name without what `-funique-internal-linkage-names` put into it.
pub fn without_unique(name: &str) -> String {
    const MARK: &str = ".__uniq.";
    let Some((front, rest)) = name.split_once(MARK) else { return name.to_owned() };
    format!("{front}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// 128 bits of BLAKE3: enough that two different texts never meet.
pub type Hash = [u8; 16];

/// Hash of a text.
pub fn hash(text: &str) -> Hash {
    let mut out = [0; 16];
    out.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
    out
}

/// A hash to stand inside canonical text.
fn mark(text: &str) -> String {
    crate::build::hex(&hash(text))
}
