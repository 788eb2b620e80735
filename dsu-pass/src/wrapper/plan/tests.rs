use std::ffi::OsString;
use std::path::Path;

use super::*;

fn facts() -> Facts {
    Facts {
        home: "/tools".into(),
        plugin: Some("/tools/libdsu_pass.so".into()),
        runtime: Some("/tools/libdsu.a".into()),
        inert: Some("/tools/libdsu_inert.a".into()),
        waits: Some("/tools/libdsu_waits.a".into()),
        include: Some("/tools/include".into()),
        directory: "/dir".into(),
        missing_input: None,
    }
}

fn settings() -> Settings {
    Settings::from_environment(&|_| None, Path::new("/dir")).expect("an empty environment is valid")
}

fn plan_with(line: &str, settings: &Settings, facts: &Facts) -> Result<Decision, Error> {
    let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
    decide(&Invocation::new(&words), settings, facts)
}

fn plan(line: &str) -> Decision {
    plan_with(line, &settings(), &facts()).expect("nothing is missing")
}

/// `C` loads the plugin, `I` offers `dsu.h`, `L` links the runtime, `N` its stand-in; then what is noted.
fn summary(decision: &Decision) -> (String, Vec<Reason>) {
    let Decision::Add(plan) = decision else { panic!("expected a plan, got {decision:?}") };
    let has = |words: &[OsString], wanted: &str| words.iter().any(|word| word.to_string_lossy().contains(wanted));
    let marks = [
        ('C', has(&plan.front, "-fpass-plugin=")),
        ('I', has(&plan.front, "-idirafter")),
        ('L', has(&plan.front, "__dsu_runtime")),
        ('N', has(&plan.back, "libdsu_inert.a")),
    ];
    (marks.iter().filter(|(_, holds)| *holds).map(|(mark, _)| *mark).collect(), plan.notes.clone())
}

#[test]
fn what_compiles_gets_the_plugin_and_what_links_gets_the_runtime() {
    let cases = [
        ("a.c", "CIL"),
        ("a.c -o a", "CIL"),
        ("-c a.c", "CI"),
        ("-c a.c b.c", "CI"),
        ("-S a.c", "CI"),
        ("-c -save-temps a.c", "CI"),
        ("a.c b.s c.S -o x", "CIL"),
        ("a.o b.o -o x", "L"),
        ("-shared a.o -o a.so", "L"),
        ("-pie a.o -lm", "L"),
        ("-lfoo", "L"),
        ("-c a.ll", "C"),
        ("-x c -", "CIL"),
        ("-x c++ -c -", "CI"),
        ("-MD -MF a.d -c a.c", "CI"),
        ("-flto -fno-lto -c a.c", "CI"),
        ("-Xclang -ffoo -c a.c", "CI"),
        ("-nostdlib a.o -shared -lc -o a.so", "L"),
        ("--emit-static-lib a.c -o a.a", "CI"),
        ("-### a.c", "CIL"),
        ("-v a.c", "CIL"),
        ("-o a -- a.c", "CIL"),
    ];
    for (line, marks) in cases {
        assert_eq!(summary(&plan(line)), (marks.to_owned(), Vec::new()), "`{line}`");
    }
}

#[test]
fn what_is_left_out_is_said() {
    let cases = [
        ("-E a.c", "I", Reason::NoCode),
        ("-M a.c", "I", Reason::NoCode),
        ("-fsyntax-only a.c", "I", Reason::NoCode),
        ("-x c-header a.h -o a.pch", "I", Reason::NoCode),
        ("a.h", "I", Reason::NoCode),
        ("-emit-llvm -c a.c", "I", Reason::Bitcode),
        ("-emit-llvm -S a.c", "I", Reason::Bitcode),
        ("-flto -c a.c", "I", Reason::Lto),
        ("-flto=thin a.c", "IL", Reason::Lto),
        ("-c -Xclang -emit-llvm-bc a.c", "I", Reason::DivertedCc1("-emit-llvm-bc".into())),
        ("-static a.c", "CIN", Reason::Static),
        ("-r a.c", "CI", Reason::Relocatable),
        ("-nostdlib a.c", "CIN", Reason::WithoutLibc),
        ("-s a.o", "L", Reason::Stripped),
        ("a.o -Wl,--build-id=none", "L", Reason::BuildIdOverridden),
        ("-static a.o", "N", Reason::Static),
        ("a.s", "L", Reason::OnlyAssembly),
    ];
    for (line, marks, reason) in cases {
        assert_eq!(summary(&plan(line)), (marks.to_owned(), vec![reason]), "`{line}`");
    }
}

#[test]
fn what_cannot_be_helped_passes_through() {
    let cases = [
        ("", Reason::NoInputs),
        ("-v", Reason::NoInputs),
        ("-Wl,--version", Reason::NoInputs),
        ("--version", Reason::Question("--version".into())),
        ("-dumpmachine a.c", Reason::Question("-dumpmachine".into())),
        ("-print-file-name=libc.so", Reason::Question("-print-file-name=libc.so".into())),
        ("-cc1 -emit-obj a.c", Reason::Question("-cc1".into())),
        ("-m32 a.c", Reason::ForeignTarget("-m32".into())),
        ("--target=aarch64-linux-gnu -c a.c", Reason::ForeignTarget("aarch64-linux-gnu".into())),
        ("-c a.cu", Reason::ForeignLanguage),
        ("-c a.s", Reason::OnlyAssembly),
        ("-nostdlib -r a.o b.o -o c.o", Reason::Relocatable),
        ("-c a.o", Reason::NothingToDo),
    ];
    for (line, reason) in cases {
        assert_eq!(plan(line), Decision::PassThrough(reason), "`{line}`");
    }
    let absent = Facts { missing_input: Some("a.o".into()), ..facts() };
    let decision = plan_with("a.o b.o", &settings(), &absent).expect("nothing is missing");
    assert_eq!(decision, Decision::PassThrough(Reason::MissingInput("a.o".into())));
    let disabled = Settings { disabled: true, ..settings() };
    let decision = plan_with("a.c", &disabled, &Facts { plugin: None, runtime: None, ..facts() });
    assert_eq!(decision.expect("needs nothing"), Decision::PassThrough(Reason::Disabled));
}

#[test]
fn a_missing_part_is_named_only_when_it_is_needed() {
    let nothing = Facts { plugin: None, runtime: None, inert: None, include: None, ..facts() };
    let result = |line: &str| plan_with(line, &settings(), &nothing);
    for line in ["-E a.c", "-c a.s", "--version", "-static a.o"] {
        assert!(result(line).is_ok(), "`{line}`");
    }
    for (line, part) in [("-c a.c", "libdsu_pass.so"), ("a.o", "libdsu.a")] {
        let error = result(line).expect_err("cannot work").to_string();
        assert!(error.contains(part) && error.contains("/tools") && error.contains("DSU_DISABLE"), "{error}");
    }
}

fn added(line: &str) -> [Vec<String>; 2] {
    let Decision::Add(plan) = plan(line) else { panic!("`{line}` links") };
    [plan.front, plan.back].map(|words| words.iter().map(|word| word.to_string_lossy().into_owned()).collect())
}

#[test]
fn a_build_id_of_the_users_choice_is_kept() {
    let sets = |line: &str| added(line)[1].contains(&"-Wl,--build-id=sha1".to_owned());
    assert!(sets("a.o") && sets("a.o -Wl,--build-id=none") && !sets("a.o -Wl,--build-id=md5"));
}

#[test]
fn the_runtime_is_found_by_name_in_its_directory_and_comes_first() {
    let [words, _] = added("-x c -");
    for wanted in ["--library-path=/tools", "--library=:libdsu.a"] {
        let at = words.iter().position(|word| word == wanted).expect("the archive is linked");
        assert_eq!(words[at - 1], "-Xlinker");
    }
}

#[test]
fn only_cc1_hears_of_the_plugin() {
    let Decision::Add(plan) = plan("-c a.c b.S") else { panic!("compiles") };
    let words: Vec<_> = plan.front.iter().map(|word| word.to_string_lossy()).collect();
    assert_eq!(words.first().expect("not empty"), "--start-no-unused-arguments");
    assert_eq!(words.last().expect("not empty"), "--end-no-unused-arguments");
    for (at, word) in words.iter().enumerate().filter(|(_, w)| w.contains("mllvm") || w.contains("debug-info-kind")) {
        assert_eq!(words[at - 1], "-Xclang", "`{word}`");
    }
}
