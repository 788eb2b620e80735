//! Units that are unlike most.

mod common;

use common::Bench;
use common::object::{bytes_at, notes, section_names, units};
use dsu_abi::stub::{Dispatch, PREFIX_SIZE};

/// Compiles a unit that must come out whole, and links it into a program that must run.
fn compiles(name: &str, source: &str, args: &[&str]) -> Vec<u8> {
    let bench = Bench::new();
    bench.file(name, source);
    bench.file("main.c", "int main(void) { return 0; }");
    for level in ["-O0", "-O2"] {
        bench.dsu("strip-debug", &[args, &["-g", "-w", level, "-c", name, "-o", "unit.o"]].concat());
        bench.plain(&["main.c", "unit.o", "-o", "program"]);
        bench.run("./program", &[]);
    }
    bench.read("program")
}

#[test]
fn nothing_at_all() {
    let program = compiles("a.c", "", &[]);
    assert_eq!((units(&program).len(), notes(&program)[0].functions), (1, 0));
}

#[test]
fn only_data() {
    let program = compiles("a.c", "int table[] = {1, 2, 3}; static int hidden = 4; int *p = &hidden;", &[]);
    let unit = &units(&program)[0];
    assert_ne!(unit.symbol("table").address, unit.symbol("hidden").address);
}

#[test]
fn only_types() {
    assert_eq!(units(&compiles("a.c", "struct s { int x; }; extern struct s there;", &[])).len(), 1);
}

#[test]
fn assembly_of_its_own() {
    let source = "
        __asm__(\".section .mine,\\\"aw\\\",@progbits\\n.globl mine\\nmine: .quad later\\n\");
        static int later_c(int x) { return x; }
        int f(int x) __asm__(\"later\"); int f(int x) { return later_c(x); }
        int quoted(int) __asm__(\"odd name+1\"); int quoted(int x) { return x; }
        extern long mine; long g(void) { return mine; }";
    let program = compiles("a.c", source, &[]);
    let unit = &units(&program)[0];
    assert_eq!(unit.symbols.iter().filter(|symbol| symbol.slot != 0).count(), 3);
    assert!(section_names(&program).contains(&".mine".to_owned()));
}

#[test]
fn names_that_assemblers_know_otherwise() {
    let source = "int rax(int x) { return x; } int st(int x) { return rax(x); } int offset = 3, byte; int dword$ptr(void) { return offset; }";
    for args in [&[][..], &["-fno-integrated-as"], &["-masm=intel"]] {
        let program = compiles("a.c", source, args);
        let unit = &units(&program)[0];
        assert!(["rax", "st", "offset", "dword$ptr"].iter().all(|name| unit.symbol(name).address != 0), "{args:?}");
    }
}

#[test]
fn instrumented_by_others_too() {
    let source = "static int n; int table[4]; int f(int x) { n += x; return table[x & 3]; } int g(int x) { return x ? f(x) : 0; }";
    for args in [
        &["-fsanitize=address"][..],
        &["-fsanitize=undefined", "-fno-sanitize=function", "-fsanitize-trap=all"],
        &["-fsanitize=thread"],
        &["-fprofile-instr-generate", "-fcoverage-mapping"],
        &["--coverage"],
        &["-pg"],
        &["-fstack-clash-protection", "-fstack-protector-all"],
        &["-Xclang", "-fmerge-functions"],
        &["-fsplit-machine-functions"],
        &["-gsplit-dwarf"],
    ] {
        let bench = Bench::new();
        bench.file("a.c", &format!("{source}\nint main(void) {{ return g(0); }}"));
        bench.dsu("", &[args, &["-w", "-g", "-O2", "a.c", "-o", "program"]].concat());
        bench.run("./program", &[]);
        let program = bench.read("program");
        let unit = &units(&program)[0];
        let mut stubs = 0;
        for f in unit.symbols.iter().filter(|symbol| symbol.slot != 0) {
            let id = bytes_at(&program, f.address - PREFIX_SIZE, 8).expect("code");
            assert_eq!(id, f.function_id.to_le_bytes(), "{args:?}: `{}`", f.name);
            stubs += 1;
        }
        assert!(stubs >= 2, "{args:?}");
    }
}

#[test]
fn dispatch_always_is_told_to_the_process() {
    let bench = Bench::new();
    bench.file("a.c", "int f(int x) { return x; }\nint main(void) { return f(0); }");
    bench.dsu("dispatch=always", &["-O2", "a.c", "-o", "program"]);
    let program = bench.read("program");
    assert_eq!((notes(&program)[0].dispatch, notes(&program)[0].functions), (Dispatch::Always, 2));
    assert_eq!(units(&program)[0].metadata["dispatch"], "always");
}
