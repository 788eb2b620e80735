//! An unarmed function runs what the plain compiler's runs, but for a 2-byte nop where the first instruction is
//! too short to be overwritten.

mod common;

use common::code::{Function, functions, is_nop, jump_target};
use common::{Bench, LEVELS, in_parallel, input};
use iced_x86::Mnemonic;

/// Ways to compile that change entries.
const WAYS: [&[&str]; 7] = [
    &["-fno-pic", "-fno-pie"],
    &["-fPIE"],
    &["-fPIC"],
    &["-fcf-protection=full"],
    &["-fcf-protection=branch", "-fno-pic", "-fno-pie"],
    &["-ffunction-sections", "-fdata-sections"],
    &["-fno-omit-frame-pointer", "-fstack-protector-strong", "-march=x86-64-v3"],
];

#[test]
fn c_and_cpp_at_every_level() {
    let sources = ["shapes.c", "shapes.cpp"].map(input);
    let mut jobs = Vec::new();
    for (source, ways) in [(&sources[0], &WAYS[..]), (&sources[1], &WAYS[2..4])] {
        for level in LEVELS {
            jobs.extend(ways.iter().map(|way| (source, level, *way)));
        }
    }
    in_parallel(&jobs, |(source, level, way)| {
        let mut args = vec![source.to_str().expect("UTF-8"), level];
        args.extend(*way);
        compare(&args, 5, &[]);
    });
}

/// zstd's own sources, which cargo has because the plugin compresses with them.
#[test]
fn a_real_library() {
    let zstd = zstd_sources();
    let files = ["compress/zstd_opt.c", "compress/zstd_compress.c", "decompress/zstd_decompress_block.c"];
    let jobs: Vec<_> = files.iter().flat_map(|file| [(file, "-O2"), (file, "-Os")]).collect();
    in_parallel(&jobs, |(file, level)| {
        let source = zstd.join(file);
        compare(&[source.to_str().expect("UTF-8"), level, "-fPIC"], 10, &[]);
    });
}

/// A place where a thread waits changes the function that it is in, and no other.
#[test]
fn beside_threads_that_wait() {
    let source = input("waiting.c");
    in_parallel(&LEVELS, |level| compare(&[source.to_str().expect("UTF-8"), level, "-fPIE"], 6, &["serve"]));
}

fn zstd_sources() -> std::path::PathBuf {
    // Of this platform: the packages of others may never have been fetched.
    let cargo = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--offline", "--filter-platform=x86_64-unknown-linux-gnu"])
        .output();
    let metadata = cargo.expect("cargo runs this test");
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("a list");
    let zstd = packages.iter().find(|package| package["name"] == "zstd-sys").expect("a dependency of zstd");
    let manifest = std::path::Path::new(zstd["manifest_path"].as_str().expect("a path"));
    manifest.with_file_name("zstd").join("lib")
}

/// Compiles both ways and compares all functions `but` some; `least` guards against comparing nothing.
fn compare(args: &[&str], least: usize, but: &[&str]) {
    let bench = Bench::new();
    bench.plain(&[args, &["-w", "-c", "-o", "plain.o"]].concat());
    bench.dsu("strip-debug", &[args, &["-w", "-g", "-c", "-o", "dsu.o"]].concat());
    let (plain, dsu) = (functions(&bench.read("plain.o")), functions(&bench.read("dsu.o")));
    assert!(plain.len() >= least, "{args:?}: only {} functions", plain.len());
    // Where the plain compiler emits no byte (an unreachable body) there is nothing to compare with.
    let missing: Vec<_> = plain.keys().filter(|name| !dsu.contains_key(*name)).collect();
    assert!(missing.is_empty(), "{args:?}: {missing:?} are gone");
    for (name, plain) in plain.iter().filter(|(name, _)| !but.contains(&name.as_str())) {
        if let Err(difference) = same_path(plain, &dsu[name]).and_then(|()| armable(&dsu[name])) {
            panic!(
                "{args:?}: `{name}`: {difference}\nplain begins {:?}\ndsu begins   {:?}",
                head(plain),
                head(&dsu[name])
            );
        }
    }
}

fn head(function: &Function) -> Vec<&str> {
    function.text.iter().take(6).map(String::as_str).collect()
}

/// Where the instruction to arm is in the list: behind `endbr64`.
fn armed_index(function: &Function) -> usize {
    usize::from(function.instructions.first().is_some_and(|first| first.mnemonic() == Mnemonic::Endbr64))
}

/// The same instructions, padding before aligned loops aside: that depends on where the function lies.
fn same_path(plain: &Function, dsu: &Function) -> Result<(), String> {
    let executed = |function: &Function| {
        let pairs = function.instructions.iter().zip(&function.text);
        pairs.filter(|(one, _)| !is_nop(one)).map(|(_, text)| text.clone()).collect::<Vec<_>>()
    };
    let (wanted, found) = (executed(plain), executed(dsu));
    let same = wanted.iter().zip(&found).take_while(|(wanted, found)| wanted == found).count();
    if same < wanted.len().max(found.len()) {
        return Err(format!("instruction {same} is `{:?}` instead of `{:?}`", found.get(same), wanted.get(same)));
    }
    let (before, after) = (armed_index(plain), armed_index(dsu));
    let (Some(first), Some(ours)) = (plain.instructions.get(before), dsu.instructions.get(after)) else {
        return Ok(()); // an empty body, never entered
    };
    if !is_nop(ours) || is_nop(first) {
        return Ok(());
    }
    let loop_header = plain.instructions.iter().any(|jump| jump_target(jump) == Some(first.ip()));
    if first.len() == 1 || loop_header { Ok(()) } else { Err(format!("a nop before {} bytes", first.len())) }
}

/// Has its stub, and an entry that can be overwritten while others run it.
fn armable(function: &Function) -> Result<(), String> {
    let complain = |what: &str| Err(what.to_owned());
    if !function.entry.is_multiple_of(16) {
        return complain("entry not aligned to 16");
    }
    if function.prefix[8..12] != [0xcc, 0xcc, 0xff, 0x25] || function.stub_target.is_none() {
        return complain("no stub before the entry");
    }
    let Some(first) = function.instructions.get(armed_index(function)) else { return Ok(()) };
    if first.len() < 2 {
        return complain("first instruction shorter than the jump that arms it");
    }
    if function
        .instructions
        .iter()
        .any(|jump| jump_target(jump).is_some_and(|to| (function.entry..first.next_ip()).contains(&to)))
    {
        return complain("a jump inside the function goes to its entry");
    }
    Ok(())
}
