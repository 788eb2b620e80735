//! Fingerprints by mutation: whatever LLVM prints about code counts, and nothing else does.
//!
//! Seed and number of flips per unit come from `$DSU_MUTATION_SEED` and `$DSU_MUTATIONS`; a failure names the seed
//! and shows the line. Units written in C need the tools of `$DSU_TOOLS`, or of `target/release`.

#[path = "mutation/compare.rs"]
mod compare;
#[path = "mutation/flip.rs"]
mod flip;
#[path = "mutation/same.rs"]
mod same;

use std::path::{Path, PathBuf};
use std::process::Command;

use compare::differences;
use dsu_pass::llvm::Context;
use flip::{Random, Subject};
use patchgen::build::Build;
use same::REWRITINGS;

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|v| v.parse().ok()).unwrap_or(otherwise)
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Text as LLVM prints it.
fn printed(bitcode: &[u8], name: &str) -> String {
    Context::new().parse(bitcode, name).expect("LLVM reads it").to_text()
}

/// The stored code of the units that `compiler` makes of some sources; none when there are no tools.
fn stored(compiler: &str, sources: &[PathBuf]) -> Vec<(String, String)> {
    let release = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release");
    let tools = std::env::var_os("DSU_TOOLS").map_or(release, PathBuf::from);
    if !["dsu-cc", "libdsu.a", "libdsu_pass.so"].iter().all(|f| tools.join(f).exists()) {
        let may_skip = std::env::var_os("DSU_TEST_ALLOW_SKIP").is_none_or(|v| v != "0");
        assert!(may_skip, "no tools in `{}`; run `cargo build --release`", tools.display());
        eprintln!("skipped: no tools in `{}`; run `cargo build --release`", tools.display());
        return Vec::new();
    }
    let folder = tempfile::tempdir().expect("temporary directory");
    let library = folder.path().join("lib.so");
    let mut command = Command::new(tools.join(compiler));
    command.args(["-O2", "-w", "-shared", "-fPIC", "-pthread", "-o"]).arg(&library).args(sources);
    let output = command.output().expect("the compiler runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let build = Build::read(&library).expect("just built");
    build.units.iter().map(|u| (u.name.clone(), printed(&u.bitcode().expect("whole"), &u.name))).collect()
}

fn units() -> Vec<(String, String)> {
    let rare = std::fs::read(fixtures().join("rare.ll")).expect("is there");
    let mut out = vec![("rare.ll".to_owned(), printed(&rare, "rare.ll"))];
    out.extend(stored("dsu-cc", &[fixtures().join("rich.c")]));
    out.extend(stored("dsu-c++", &[fixtures().join("rich.cc")]));
    let kvd = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/kvd/src");
    out.extend(stored("dsu-cc", &[kvd.join("store.c"), kvd.join("server.c")]));
    out
}

/// Flips of one unit that nobody noticed.
fn unnoticed(name: &str, text: &str, seed: u64, wanted: usize) -> (usize, Vec<String>) {
    let subject = Subject::of(text);
    let mut random = Random(seed);
    let (mut done, mut out) = (0, Vec::new());
    let all = subject.sites().len();
    for number in 0..wanted.min(all) {
        let site = &subject.sites()[if wanted >= all { number } else { random.below(all) }];
        let Some(flipped) = subject.flip(site, &mut random).filter(|f| f != text) else { continue };
        done += 1;
        if differences(text, &flipped).is_empty() {
            out.push(format!("{name}, seed {seed}, {}", subject.shown(site, &flipped)));
        }
    }
    assert!(subject.groups_at_calls() > 0 && done > wanted.min(all) / 2, "{name}: {done} of {all} places flipped");
    (done, out)
}

#[test]
fn whatever_is_flipped_is_noticed() {
    let seed = number("DSU_MUTATION_SEED", 1);
    let wanted = usize::try_from(number("DSU_MUTATIONS", 150)).expect("a sensible number");
    let mut missed = Vec::new();
    for (name, text) in units() {
        let (done, out) = unnoticed(&name, &text, seed, wanted);
        println!("{name}: {done} flips, {} unnoticed", out.len());
        missed.extend(out);
    }
    assert!(missed.is_empty(), "{} flips went unnoticed:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn names_numbers_order_and_places_are_not_noticed() {
    for (name, text) in units() {
        let mut all = text.clone();
        for (what, rewrite) in REWRITINGS {
            let rewritten = rewrite(&text);
            let seen = differences(&text, &rewritten);
            assert!(seen.is_empty(), "{name}, {what}: {seen:?}");
            all = rewrite(&all);
        }
        let seen = differences(&text, &all);
        assert!(seen.is_empty() && all != text, "{name}, all at once: {seen:?}");
    }
}
