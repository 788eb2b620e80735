//! What gets no stub: each reason, told in the log and kept in the record.

mod common;

use common::Bench;
use common::object::{notes, section_names, units};
use dsu_abi::symbols::SymbolKind;

/// Compiles `source` and checks that `function` is left alone for a reason that contains `why`.
fn left_alone(args: &[&str], options: &str, source: &str, function: &str, why: &str) {
    let bench = Bench::new();
    bench.file("a.c", source);
    bench.dsu(&format!("log=log,{options}"), &[args, &["-w", "-c", "a.c", "-o", "a.o"]].concat());
    let object = bench.read("a.o");
    let unit = &units(&object)[0];
    let reason = unit.reason(function).unwrap_or_else(|| panic!("`{function}` was not left alone"));
    assert!(reason.contains(why), "{reason}");
    assert_eq!(unit.symbol(function).kind, SymbolKind::PlainFunction);
    let log = String::from_utf8(bench.read("log")).expect("UTF-8");
    assert!(log.contains(&format!("a.c: function `{function}` left alone: {reason}\n")), "{log}");
    assert!(notes(&object)[0].skipped >= 1);
}

const PLAIN: &str = "int f(int x) { return x; } int g(int x) { return x + 1; }";

#[test]
fn naked() {
    left_alone(&["-O2"], "", "__attribute__((naked)) int f(void) { __asm__(\"ret\"); }", "f", "naked");
}

#[test]
fn ifunc_resolver() {
    let source = "static int one(int x) { return x; } static void *pick(void) { return one; }
        int f(int) __attribute__((ifunc(\"pick\")));";
    left_alone(&["-O2"], "", source, "pick", "ifunc resolver");
}

#[test]
fn annotated() {
    let source = "__attribute__((annotate(\"dsu::never\"))) static int f(int x) { return x; }
        __attribute__((annotate(\"dsu::ever\"))) int h(int x) { return f(x); }";
    left_alone(&["-O0"], "", source, "f", "`dsu::never`");
}

#[test]
fn entries_that_belong_to_others() {
    let cases: [(&[&str], &str); 5] = [
        (&["-fpatchable-function-entry=4,2"], "-fpatchable-function-entry"),
        (&["-fsanitize=kcfi"], "-fsanitize=kcfi"),
        (&["-fsanitize=function"], "-fsanitize=function"),
        (&["-fxray-instrument"], "XRay"),
        (&["-pg", "-mfentry"], "-mfentry"),
    ];
    for (args, why) in cases {
        left_alone(args, "", PLAIN, "f", why);
    }
}

#[test]
fn listed() {
    let bench = Bench::new();
    let list = bench.file("list", "# ours\n[dsu]\nfun:f*\n[cfi]\nfun:*\n");
    let option = format!("list={}", list.display());
    left_alone(&["-O0"], &option, PLAIN, "f", &format!("`{}`:3", list.display()));
    let list = bench.file("sources", "src:*/a.?\nsrc:a.c\n");
    left_alone(&["-O0"], &format!("list={}", list.display()), PLAIN, "g", "is listed");
}

#[test]
fn what_is_not_named_gets_its_stub() {
    let bench = Bench::new();
    let list = bench.file("list", "fun:f\n[other]\nfun:g\n");
    bench.file("a.c", PLAIN);
    bench.dsu(&format!("list={}", list.display()), &["-c", "a.c"]);
    let unit = &units(&bench.read("a.o"))[0];
    assert_eq!((unit.reason("g"), unit.symbol("g").kind), (None, SymbolKind::Function));
}

#[test]
fn available_externally_is_not_emitted_and_not_missed() {
    let bench = Bench::new();
    bench.file("a.ll", "define available_externally i32 @f() { ret i32 1 }\ndefine i32 @g() { ret i32 2 }\n");
    bench.dsu("log=log", &["-w", "-O0", "--target=x86_64-linux-gnu", "-c", "a.ll"]);
    let unit = &units(&bench.read("a.o"))[0];
    assert!(unit.reason("f").is_some_and(|reason| reason.contains("another unit's")));
    assert!(unit.symbols.iter().all(|symbol| symbol.name != "f"));
}

#[test]
fn link_time_optimised_units_stay_as_they_are() {
    for lto in ["-flto", "-flto=thin"] {
        for level in ["-O0", "-O2"] {
            let bench = Bench::new();
            bench.file("a.c", PLAIN);
            bench.dsu("log=log", &[lto, level, "-c", "a.c", "-o", "a.o"]);
            bench.plain(&[lto, level, "-c", "a.c", "-o", "plain.o"]);
            assert!(String::from_utf8_lossy(&bench.read("log")).contains("link-time optimiser"), "{lto} {level}");
            assert_eq!(bench.read("a.o"), bench.read("plain.o"), "{lto} {level}");
        }
    }
}

#[test]
fn units_without_stubs_to_reach_stay_as_they_are() {
    for (args, why) in [(["-mcmodel=large"], "-mcmodel=large"), (["--target=i686-linux-gnu"], "i686")] {
        let bench = Bench::new();
        bench.file("a.c", PLAIN);
        bench.dsu("log=log", &[&args[..], &["-c", "a.c"]].concat());
        assert!(String::from_utf8_lossy(&bench.read("log")).contains(why));
        assert!(section_names(&bench.read("a.o")).iter().all(|name| !name.contains("dsu")));
    }
}

/// `-save-temps` and its kind hand bitcode from one run of the compiler to the next.
#[test]
fn a_unit_is_instrumented_once() {
    let bench = Bench::new();
    bench.file("a.c", PLAIN);
    bench.dsu("", &["-O2", "-emit-llvm", "-c", "a.c", "-o", "a.bc"]);
    bench.dsu("log=log", &["-O2", "-c", "a.bc", "-o", "twice.o"]);
    assert!(String::from_utf8_lossy(&bench.read("log")).contains("has its stubs already"));
    bench.dsu("", &["-O2", "-save-temps", "-c", "a.c", "-o", "saved.o"]);
    for object in ["twice.o", "saved.o"] {
        let units = units(&bench.read(object));
        assert_eq!(units.len(), 1, "{object}");
        assert_eq!(units[0].symbol("f").kind, SymbolKind::Function, "{object}");
    }
}
