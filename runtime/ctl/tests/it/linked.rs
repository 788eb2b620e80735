//! What the runtime adds to a program.

use std::fs;
use std::process::Command;

use object::{Object, ObjectSection, ObjectSymbol};

use crate::support::{library, library_of, run};

/// Bytes of code and constants in a linked program.
fn sizes(program: &std::path::Path) -> u64 {
    let bytes = fs::read(program).expect("just linked");
    let elf = object::File::parse(&*bytes).expect("just linked");
    let counted = |name: &str| name == ".text" || name.starts_with(".rodata");
    elf.sections().filter(|section| section.name().is_ok_and(counted)).map(|section| section.size()).sum()
}

#[test]
fn it_is_small_and_has_no_panics() {
    let dir = tempfile::TempDir::new().expect("temporary directories can be made");
    let source = dir.path().join("empty.c");
    fs::write(&source, "int main(void) { return 0; }\n").expect("ours");
    let link = |name: &str, more: &[&str]| {
        let program = dir.path().join(name);
        run(Command::new("clang-19")
            .arg("-O2")
            .arg(&source)
            .args(more)
            .arg("-Wl,--gc-sections")
            .arg("-o")
            .arg(&program));
        program
    };
    let library = library();
    let plain = link("plain", &[]);
    let with = link("with", &["-Wl,-u,__dsu_runtime", library.to_str().expect("UTF-8")]);
    let added = sizes(&with) - sizes(&plain);
    println!("the runtime adds {added} bytes of text and constants");
    assert!(added <= 64 << 10, "{added} bytes are more than 64 KiB");

    let bytes = fs::read(&with).expect("just linked");
    let elf = object::File::parse(&*bytes).expect("just linked");
    let names: Vec<&str> = elf.symbols().filter_map(|symbol| symbol.name().ok()).collect();
    let panics: Vec<_> = names.iter().filter(|n| n.contains("panicking") || n.contains("begin_unwind")).collect();
    assert!(panics.is_empty(), "can panic: {panics:?}");
    assert!(names.contains(&"__dsu_runtime"), "the runtime was not linked");
}

#[test]
fn a_debug_build_links_too() {
    let dir = tempfile::TempDir::new().expect("temporary directories can be made");
    let source = dir.path().join("empty.c");
    fs::write(&source, "int main(void) { return 0; }\n").expect("ours");
    let program = dir.path().join("program");
    for linker in ["bfd", "lld"] {
        let mut clang = Command::new("clang-19");
        clang.arg(format!("-fuse-ld={linker}")).arg(&source).arg("-Wl,-u,__dsu_runtime");
        run(clang.arg(library_of(&[], "debug/libdsu.a")).arg("-o").arg(&program));
        run(&mut Command::new(&program));
    }
}
