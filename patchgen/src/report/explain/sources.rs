//! Where the source of a changed function is, by debug information.

use std::path::Path;

use crate::compare::resolve::{Definition, Resolver};
use crate::compare::side::Facts;
use crate::ir::debug::Node;
use crate::report::source::{SourcePair, SourceRef};

/// The function's own source, and that of the function inlined into it where the difference lies.
pub(super) fn of(resolver: &Resolver<'_, '_>, definition: &Definition, inlined: Option<&str>) -> Vec<SourcePair> {
    let new = resolver.new.facts(definition.0);
    let old = resolver.old_unit(definition.0).and_then(|i| resolver.old.facts(i));
    let own = SourcePair {
        title: crate::ir::lex::unescape(&definition.1),
        old: old.and_then(|f| own(f, new.map_or(&definition.1, |n| n.name_in(f, &definition.1)))),
        new: new.and_then(|f| own(f, &definition.1)),
    };
    let inlined = inlined.map(|name| SourcePair {
        title: format!("{name}, inlined"),
        old: old.and_then(|f| named(f, name)),
        new: new.and_then(|f| named(f, name)),
    });
    [own].into_iter().chain(inlined).collect()
}

fn own(facts: &Facts<'_>, symbol: &str) -> Option<SourceRef> {
    let function = facts.module.function_named(symbol)?;
    let reference = function.after.split("!dbg ").nth(1)?.split_whitespace().next()?;
    source(facts, &facts.module.debug_node(reference)?)
}

/// A function that may have no symbol of its own.
fn named(facts: &Facts<'_>, name: &str) -> Option<SourceRef> {
    let start = format!("distinct !DISubprogram(name: \"{name}\"");
    let text = facts.module.metadata.iter().find(|text| text.starts_with(&start))?;
    source(facts, &Node::parse(text)?)
}

fn source(facts: &Facts<'_>, subprogram: &Node<'_>) -> Option<SourceRef> {
    let file = facts.module.debug_node(subprogram.get("file")?)?;
    // Folders below the one it was compiled in, or beside it, are stored as seen from there.
    let directory = Path::new(&facts.unit.directory).join(file.text("directory").unwrap_or_default());
    Some(SourceRef {
        path: directory.join(file.text("filename")?),
        line: usize::try_from(subprogram.number("line")).ok()?,
        md5: file.text("checksum").filter(|_| file.get("checksumkind") == Some("CSK_MD5")),
    })
}
