//! What patchgen sees between two texts of one unit.

use patchgen::build::pair::Pair;
use patchgen::build::{Build, ModuleKind, Unit};
use patchgen::check::rules::check_modules;
use patchgen::compare::diff::{LineRule, diff};
use patchgen::compare::side::{Texts, sides};

/// A build of one unit whose text is given separately.
fn build() -> Build {
    let unit = Unit {
        id: 0,
        name: "unit.c".into(),
        directory: String::new(),
        producer: String::new(),
        flags: Vec::new(),
        build_timestamps: Vec::new(),
        skipped: Vec::new(),
        bitcode: Vec::new(),
        bitcode_size: 0,
        symbols: Vec::new(),
        points: Vec::new(),
    };
    Build {
        name: "app".into(),
        kind: ModuleKind::Pie,
        build_id: vec![0],
        machine: 62,
        soname: None,
        needed: Vec::new(),
        run_path: Vec::new(),
        origin: Default::default(),
        tls: false,
        defined: Default::default(),
        exported: Vec::new(),
        names: Default::default(),
        imported: Default::default(),
        units: vec![unit],
        entries: Default::default(),
        sizes: Default::default(),
        split: Default::default(),
        image: Default::default(),
    }
}

/// The differences patchgen sees, one word each; text it cannot read is a difference.
pub(crate) fn differences(old: &str, new: &str) -> Vec<String> {
    let (a, b) = (build(), build());
    let texts = |text: &str| Texts::from(vec![(0, text.to_owned())]);
    let both = (texts(old), texts(new));
    let pairs = [Pair { old: Some(0), new: Some(0), certain: true }];
    let (old, new) = match sides((&a, &b), &both, &pairs) {
        Ok(sides) => sides,
        Err(problem) => return vec![problem.message],
    };
    let changes = diff(&old, &new, &pairs, &LineRule::default());
    let mut out: Vec<String> = changes.list.iter().map(|c| format!("{} {:?}", c.name, c.kind)).collect();
    out.extend(check_modules(&old, &new, &pairs).iter().map(ToString::to_string));
    if old.units[0].module.asm != new.units[0].module.asm {
        out.push("asm".into());
    }
    if !changes.moved_lines.is_empty() {
        out.push("moved lines".into());
    }
    out
}
