//! The records of a program: what they say, and what they survive.

mod common;

use common::object::{OwnedSymbol, Unit, addresses, bytes_at, notes, section, section_names, units};
use common::{Bench, in_parallel};
use dsu_abi::stub::{JMP_INDIRECT, PREFIX_SIZE};
use dsu_abi::symbols::{Linkage, SymbolKind};

const A: &str = "\
static int twin(int x) { return x + 1; }
__attribute__((weak)) int weak(int x) { return x; }
int unused(int x) { return x * 7; }
__thread int per_thread = 4; static __thread int own_thread;
int table[2] = { 1, 2 };
static int state;
int alias(int) __attribute__((alias(\"a\")));
int a(int x) { state += x; own_thread++; return twin(x) + per_thread + weak(x) + table[x & 1]; }
";
const B: &str = "\
static int twin(int x) { return x + 2; }
__attribute__((weak)) int weak(int x) { return x + 100; }
extern __thread int per_thread;
int a(int);
int main(int argc, char **argv) { per_thread++; return twin(argc) + a(argc) + weak(argc); }
";

fn bench() -> Bench {
    let bench = Bench::new();
    bench.file("a.c", A);
    bench.file("b.c", B);
    for unit in ["a", "b"] {
        let (source, object) = (format!("{unit}.c"), format!("{unit}.o"));
        bench.dsu("strip-debug", &["-O1", "-g", "-fno-inline", "-ffunction-sections", "-c", &source, "-o", &object]);
    }
    bench
}

fn unit<'u>(units: &'u [Unit], name: &str) -> &'u Unit {
    units.iter().find(|unit| unit.name() == name).unwrap_or_else(|| panic!("no unit `{name}`"))
}

/// Whether the linker dropped the function: gold leaves its offset in its section, the others 0.
fn dropped(row: &OwnedSymbol) -> bool {
    row.address <= PREFIX_SIZE
}

/// Checks that the tables of `program` tell the truth.
fn check(program: &[u8], how: &str) {
    let units = units(program);
    assert_eq!(units.len(), 2, "{how}");
    let (a, b) = (unit(&units, "a.c"), unit(&units, "b.c"));
    let mut twins = [a.symbol("twin").address, b.symbol("twin").address];
    twins.sort_unstable();
    let mut known = addresses(program, "twin");
    known.sort_unstable();
    assert_eq!(known, twins, "{how}: statics of one name");
    for name in ["a", "alias", "table", "state"] {
        assert_eq!([a.symbol(name).address][..], addresses(program, name), "{how}: `{name}`");
    }
    // A thread-local symbol's address is its offset in the module's block.
    for name in ["per_thread", "own_thread"] {
        assert_eq!(a.symbol(name).kind, SymbolKind::Tls);
        assert_eq!([a.symbol(name).address][..], addresses(program, name), "{how}: `{name}`");
    }
    // Both tables name the definition that won, which is one of the two.
    let weak = addresses(program, "weak");
    assert_eq!((a.symbol("weak").linkage, b.symbol("weak").linkage), (Linkage::Weak, Linkage::Weak));
    assert_eq!([a.symbol("weak").address, b.symbol("weak").address], [weak[0]; 2], "{how}");
    for unit in [a, b] {
        for f in unit.symbols.iter().filter(|s| s.kind == SymbolKind::Function && s.linkage != Linkage::Weak) {
            if !dropped(f) {
                check_stub(program, f.address, f.slot, f.function_id, &format!("{how}: `{}`", f.name));
            }
        }
    }
}

/// The bytes before an entry: id, and a jump through the slot.
fn check_stub(program: &[u8], entry: u64, slot: u64, id: u64, what: &str) {
    let prefix = bytes_at(program, entry - PREFIX_SIZE, PREFIX_SIZE).unwrap_or_else(|| panic!("{what}: no code"));
    assert_eq!(prefix[..8], id.to_le_bytes(), "{what}: id");
    assert_eq!(prefix[10..12], JMP_INDIRECT, "{what}: stub");
    let distance = i32::from_le_bytes(prefix[12..].try_into().expect("4 bytes"));
    assert_eq!(entry.wrapping_add_signed(distance.into()), slot, "{what}: slot");
}

#[test]
fn records_survive_every_linker_archives_and_partial_links() {
    let bench = bench();
    bench.run("ar", &["rcs", "liba.a", "a.o"]);
    bench.run("ld", &["-r", "a.o", "b.o", "-o", "both.o"]);
    let inputs: [&[&str]; 3] = [&["a.o", "b.o"], &["b.o", "liba.a"], &["both.o"]];
    let mut jobs = Vec::new();
    for linker in ["bfd", "gold", "lld"] {
        for (turn, input) in inputs.iter().enumerate() {
            for gc in [false, true] {
                jobs.push((linker, *input, gc, format!("{linker}{turn}{gc}")));
            }
        }
    }
    in_parallel(&jobs, |(linker, input, gc, out)| {
        let linker = format!("-fuse-ld={linker}");
        let gc_flag: &[&str] = if *gc { &["-Wl,--gc-sections"] } else { &[] };
        bench.plain(&[*input, gc_flag, &[&linker, "-o", out]].concat());
        let program = bench.read(out);
        check(&program, out);
        let units = units(&program);
        let unused = unit(&units, "a.c").symbol("unused");
        assert_eq!(dropped(unused), *gc, "{out}: the tables must not keep a function alive");
        assert_eq!(addresses(&program, "unused").is_empty(), *gc, "{out}");
        assert_eq!(notes(&program).len(), 2, "{out}");
    });
}

#[test]
fn records_survive_in_a_shared_library_and_go_with_strip() {
    let bench = bench();
    bench.dsu("strip-debug", &["-O1", "-g", "-fPIC", "-fno-inline", "-c", "a.c", "-o", "pic.o"]);
    for linker in ["bfd", "gold", "lld"] {
        bench.plain(&["-shared", &format!("-fuse-ld={linker}"), "pic.o", "-o", "liba.so"]);
        let library = bench.read("liba.so");
        let a = &units(&library)[0];
        let f = a.symbol("a");
        assert_eq!(addresses(&library, "a")[0], f.address, "{linker}: a preemptible name");
        check_stub(&library, f.address, f.slot, f.function_id, linker);
        bench.run("strip", &["liba.so", "-o", "stripped.so"]);
        assert!(units(&bench.read("stripped.so")).is_empty(), "strip is the request to remove them");
        assert_eq!(notes(&bench.read("stripped.so")).len(), 1, "a process can still tell what it is");
    }
}

#[test]
fn compressed_debug_sections_are_still_readable() {
    let bench = bench();
    bench.dsu("", &["-O1", "-g", "-gz=zlib", "-fno-inline", "-c", "a.c", "-o", "a.o"]);
    bench.plain(&["a.o", "b.o", "-gz=zlib", "-o", "program"]);
    check(&bench.read("program"), "-gz");
}

#[test]
fn of_equal_comdats_the_winner_is_found_by_its_id() {
    let bench = Bench::new();
    let shared = "inline int shared(int x) { static int n; return x + ++n; }\n";
    bench.file("a.cpp", &format!("{shared}int a(int x) {{ return shared(x); }}\n"));
    bench.file("b.cpp", &format!("{shared}int a(int); int main() {{ return a(1) + shared(2); }}\n"));
    for linker in ["bfd", "gold", "lld"] {
        bench.dsu("", &["-O0", &format!("-fuse-ld={linker}"), "a.cpp", "b.cpp", "-o", "program"]);
        let program = bench.read("program");
        let units = units(&program);
        let rows: Vec<_> = units.iter().map(|unit| unit.symbol("_Z6sharedi")).collect();
        assert_eq!(rows.iter().map(|row| row.address).collect::<Vec<_>>(), [addresses(&program, "_Z6sharedi")[0]; 2]);
        let id = bytes_at(&program, rows[0].address - PREFIX_SIZE, 8).expect("code");
        let winners: Vec<_> = rows.iter().filter(|row| row.function_id.to_le_bytes()[..] == id).collect();
        assert_eq!(winners.len(), 1, "{linker}");
        check_stub(&program, winners[0].address, winners[0].slot, winners[0].function_id, linker);
    }
}

#[test]
fn a_unit_says_how_it_was_made() {
    let bench = bench();
    std::fs::create_dir(bench.path("sub")).expect("a new folder");
    let source = bench.file("sub/c.c", A);
    let options = format!("directory={},flag=-O2,flag=-DX=1%2C2", bench.path("").display());
    bench.dsu(&options, &["-O2", "-c", source.to_str().expect("UTF-8"), "-o", "c.o"]);
    let unit = &units(&bench.read("c.o"))[0];
    assert_eq!(unit.name(), "sub/c.c");
    assert_eq!(unit.metadata["dispatch"], "armed");
    assert_eq!(unit.metadata["flags"], serde_json::json!(["-O2", "-DX=1,2"]));
    assert!(unit.metadata["producer"].as_str().is_some_and(|producer| producer.contains("clang version 19")));
    let context = dsu_pass::llvm::Context::new();
    let module = context.parse(&unit.bitcode, "unit").expect("bitcode");
    module.verify().expect("valid");
    let text = module.to_text();
    assert!(!text.contains("__dsu"), "the stored module is the one before instrumentation");
}

/// The same source gives the same bytes; the stored module keeps the debug information the object does not have.
#[test]
fn objects_are_reproducible_and_as_free_of_debug_information_as_asked() {
    let bench = bench();
    let first = bench.read("a.o");
    bench.dsu("strip-debug", &["-O1", "-g", "-fno-inline", "-ffunction-sections", "-c", "a.c", "-o", "again.o"]);
    assert_eq!(first, bench.read("again.o"));
    let left: Vec<_> = section_names(&first).into_iter().filter(|name| name.contains("debug")).collect();
    assert_eq!(left, [".debug.dsu_bc", ".debug.dsu_sym", ".rela.debug.dsu_sym"]);
    let context = dsu_pass::llvm::Context::new();
    let bitcode = &units(&first)[0].bitcode;
    assert!(context.parse(bitcode, "unit").expect("bitcode").to_text().contains("DICompositeType"));
    bench.dsu("", &["-O1", "-g", "-c", "a.c", "-o", "debug.o"]);
    assert!(section(&bench.read("debug.o"), ".debug_info").is_some());
}

/// Two working copies give the same units, compiled in the tree or beside it; each object's own debug information knows
/// where it is.
#[test]
fn a_unit_does_not_depend_on_where_its_working_copy_is() {
    let bench = Bench::new();
    let made = |copy: &str, source: &str, below: &str| {
        std::fs::create_dir_all(bench.path(copy).join("build")).expect("a new folder");
        bench.file(&format!("{copy}/own.h"), "struct own { int member; };\n");
        let file = bench.file(&format!("{copy}/a.c"), &format!("#include \"own.h\"\nstruct own object;\n{A}"));
        let source = if source.is_empty() { file.to_str().expect("UTF-8") } else { source };
        let (folder, object) = (bench.path(copy).join(below), format!("{copy}.o"));
        let at = format!("directory={}", folder.display());
        bench.dsu(
            &at,
            &["-O1", "-g", "-working-directory", folder.to_str().expect("UTF-8"), "-c", source, "-o", &object],
        );
        let object = std::fs::read(folder.join(object)).expect("it was made");
        let says_where = |section_name| {
            let text = section(&object, section_name).expect("debug information");
            text.windows(copy.len()).any(|window| window == copy.as_bytes())
        };
        assert!(says_where(".debug_line_str"), "the object's own debug information has lost `{copy}`");
        let unit = units(&object).remove(0);
        let text = dsu_pass::llvm::Context::new().parse(&unit.bitcode, "unit").expect("bitcode").to_text();
        (unit.id, text)
    };
    for (source, below) in [("a.c", ""), ("", "build"), ("../a.c", "build")] {
        let (first, text) = made("one", source, below);
        let (second, other) = made("another_copy", source, below);
        assert_eq!(text, other, "`{source}` in `{below}`");
        assert_eq!(first, second, "`{source}` in `{below}`");
        assert!(text.contains("own.h") && !text.contains("/one"), "{text}");
    }
}
