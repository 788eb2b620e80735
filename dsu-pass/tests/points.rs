//! Quiescence points: two loads and a compare where the source, or a list, asks for them.

mod common;

use common::Bench;
use common::object::{notes, units};
use serde_json::json;

const RUNTIME: &str = "
#include <stdio.h>
unsigned __dsu_generation; __thread unsigned __dsu_thread_generation;
void __dsu_quiesce(void) { puts(\"quiesce\"); __dsu_thread_generation = __dsu_generation; }
";
const LOOP: &str = "
#include <stdio.h>
void __dsu_quiescence_point(void);
extern unsigned __dsu_generation;
int main(void)
{
    for (volatile unsigned i = 0; i < 4; i++) {
        printf(\"%u\\n\", i);
        __dsu_generation = i / 2;
        __dsu_quiescence_point();
    }
}
";

#[test]
fn a_thread_stops_only_when_the_generation_moved() {
    for (level, way) in [("-O0", "-fPIE"), ("-O2", "-fPIE"), ("-O2", "-fno-pic"), ("-Os", "-fPIC")] {
        let bench = Bench::new();
        bench.file("loop.c", LOOP);
        bench.file("runtime.c", RUNTIME);
        bench.plain(&["-c", "runtime.c"]);
        bench.dsu("strip-debug", &["-g", level, way, "-c", "loop.c"]);
        let linked: &[&str] = if way == "-fno-pic" { &["-no-pie"] } else { &[] };
        bench.plain(&[linked, &["loop.o", "runtime.o", "-o", "program"]].concat());
        assert_eq!(bench.run("./program", &[]), "0\n1\n2\nquiesce\n3\n", "{level} {way}");
        let program = bench.read("program");
        // The loop's body may have become a function.
        let at = |function: &str| json!([{ "function": function, "line": 10 }]);
        let points = &units(&program)[0].metadata["points"];
        assert!([at("main"), at("main.dsu_loop")].contains(points), "{level}: {points}");
        assert_eq!(notes(&program)[0].points, 1);
    }
}

#[test]
fn before_named_functions() {
    let bench = Bench::new();
    let source =
        "int epoll(int); int other(int);\nint f(int x) {\n  x = epoll(x);\n  return other(x) +\n    epoll(x);\n}";
    bench.file("a.c", source);
    let names = bench.file("points", "# waits\nepoll\n\nnever_called # x\n");
    bench.dsu(&format!("points={}", names.display()), &["-O2", "-g", "-c", "a.c"]);
    let unit = &units(&bench.read("a.o"))[0];
    assert_eq!(unit.metadata["points"], json!([{ "function": "f", "line": 3 }, { "function": "f", "line": 5 }]));
    let context = dsu_pass::llvm::Context::new();
    let stored = context.parse(&unit.bitcode, "unit").expect("bitcode");
    assert_eq!(stored.calls_of("__dsu_quiescence_point").len(), 2, "a patch made of it has the points too");
}

/// C++ that may throw around the point: the marker is an `invoke` there.
#[test]
fn inside_a_try_block() {
    let bench = Bench::new();
    bench.file("runtime.c", RUNTIME);
    bench.plain(&["-c", "runtime.c"]);
    let source = "extern \"C\" void __dsu_quiescence_point(); extern \"C\" unsigned __dsu_generation;
        #include <cstdio>
        int main() { try { __dsu_generation = 1; __dsu_quiescence_point(); throw 3; } catch (int x) { std::printf(\"%d\\n\", x); } }";
    bench.file("a.cpp", source);
    for level in ["-O0", "-O2"] {
        bench.dsu("", &[level, "a.cpp", "runtime.o", "-o", "program"]);
        assert_eq!(bench.run("./program", &[]), "quiesce\n3\n", "{level}");
    }
}

#[test]
fn a_missing_list_is_an_error_of_the_compilation() {
    let bench = Bench::new();
    bench.file("a.c", "int f(void) { return 1; }");
    for option in ["points=nowhere", "list=nowhere", "log=/nowhere/log,list=/dev/null", "speed=11"] {
        let source = if option.starts_with("log") { "__attribute__((naked)) void f(void) {}" } else { "int f;" };
        bench.file("a.c", source);
        let output = bench.try_dsu(option, &["-c", "a.c"]);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{option}");
        let named = option.split(['=', ',']).nth(usize::from(option != "speed=11")).expect("two parts");
        assert!(text.contains("error: dsu: ") && text.contains(named), "{option}: {text}");
        assert!(!bench.path("a.o").exists(), "{option}: no half-made object");
    }
}
