//! SQLite: a change of one line in a unit of 250,000.
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::Context;
use testsuite::real::cache;
use testsuite::real::command::{json, patchgen, run as command};
use testsuite::real::compiler::Flavor;
use testsuite::real::skip::run;
use testsuite::real::sqlite::{CHANGED, cached_build, cached_copy, write_source};
use testsuite::real::subject::Version;

/// The whole diff may take this long on 2 cores.
const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn a_changed_line_changes_its_function_and_those_it_was_inlined_into() {
    run(|| {
        let (old, new) = (cached_build(Version::Old, Flavor::Armed)?, cached_build(Version::New, Flavor::Armed)?);
        let arguments = ["diff", &old.to_string_lossy(), &new.to_string_lossy(), "--json"];
        let (output, time) = fastest(&arguments, 0)?;
        let printed = json(&output.stdout)?;
        let changes = printed["changes"].as_array().context("no changes told")?;
        assert!(changes.iter().all(|change| change["kind"] == "body"), "{changes:?}");
        let told: BTreeSet<String> =
            changes.iter().filter_map(|change| change["name"].as_str().map(str::to_owned)).collect();
        assert_eq!(told, changed_machine_code()?);
        assert!(time <= LIMIT, "patchgen diff took {time:?}");
        Ok(())
    });
}

#[test]
fn two_builds_of_the_same_source_show_no_change() {
    run(|| {
        // This one first: the other test makes the other one meanwhile.
        let second = cached_copy(Version::Old, Flavor::Armed, "second")?;
        let first = cached_build(Version::Old, Flavor::Armed)?;
        let arguments = ["diff", &first.to_string_lossy(), &second.to_string_lossy(), "--json"];
        let (output, time) = fastest(&arguments, 3)?;
        assert_eq!(json(&output.stdout)?["changes"], serde_json::json!([]));
        assert!(time <= LIMIT, "patchgen diff took {time:?}");
        Ok(())
    });
}

/// On a busy machine wall time says little about the tool: the best of up to three runs counts.
fn fastest(arguments: &[&str], code: i32) -> anyhow::Result<(Output, Duration)> {
    let mut best = patchgen(arguments, &[code])?;
    for _ in 0..2 {
        if best.1 > LIMIT {
            best = patchgen(arguments, &[code])?;
        }
    }
    Ok(best)
}

/// What plain clang makes of both versions says independently which functions the change has reached.
fn changed_machine_code() -> anyhow::Result<BTreeSet<String>> {
    let folder = cache::once("sqlite-disassembly", |folder| {
        for version in [Version::Old, Version::New] {
            write_source(version, folder)?;
            let object = folder.join(version.name()).with_extension("o");
            let mut compile = Command::new("clang-19");
            compile
                .args(["-O2", "-DSQLITE_OMIT_LOAD_EXTENSION", "-c", "sqlite3.c", "-o"])
                .arg(&object)
                .current_dir(folder);
            compile.args(["-ffunction-sections"]);
            command(&mut compile, &[0])?;
            let mut dump = Command::new("objdump");
            let dumped = command(dump.args(["-dr", "--no-show-raw-insn"]).arg(&object), &[0])?.0;
            std::fs::write(object.with_extension("s"), dumped.stdout)?;
        }
        Ok(())
    })?;
    let (old, new) = (functions(&folder.join("old.s"))?, functions(&folder.join("new.s"))?);
    let changed: BTreeSet<String> =
        old.iter().filter(|(name, code)| new.get(*name) != Some(code)).map(|(name, _)| name.clone()).collect();
    assert!(changed.contains(CHANGED), "{changed:?}");
    assert!(changed.len() < 60, "the change reaches too much to say anything: {changed:?}");
    Ok(changed)
}

/// Name to code; each function begins its section, so addresses do not depend on what is before it.
fn functions(dump: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(dump)?;
    let sections = text.split("Disassembly of section .text.").skip(1);
    Ok(sections
        .filter_map(|part| part.split_once(":\n"))
        .map(|(name, code)| (name.to_owned(), code.to_owned()))
        .collect())
}
