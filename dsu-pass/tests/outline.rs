//! The body of a loop that waits for work as a function of its own: the program does the same as before, and frames
//! that cannot be taken apart are left alone.

mod common;

use common::object::units;
use common::{Bench, LEVELS, in_parallel};

const RUNTIME: &str = "
unsigned __dsu_generation; __thread unsigned __dsu_thread_generation; int begun, ended;
void __dsu_quiesce(void) {}
void __dsu_idle_begin(void) { begun++; }
void __dsu_idle_end(void) { ended++; }
void __dsu_loop_begin(void) {}
void __dsu_loop_end(void) {}
";

/// Locals that live across iterations, exits in the middle, an array on the frame, and errno behind the wait.
const LINES: &str = r#"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
extern int begun, ended;
static int total;
static __attribute__((noinline)) void count(const char *word, int *lengths) { lengths[strlen(word) % 8]++; total++; }
int main(int argc, char **argv)
{
    char line[256];
    int lengths[8] = {0}, lines = 0, quoted = 0;
    char last = 0;
    while (fgets(line, sizeof line, stdin)) {
        errno = 7;
        lines++;
        if (line[0] == '#')
            continue;
        if (strcmp(line, "end\n") == 0)
            goto out;
        for (char *word = strtok(line, " \n"); word; word = strtok(NULL, " \n")) {
            count(word, lengths);
            last = word[0];
            quoted ^= last == '"';
        }
        if (lines > 100)
            return 3;
    }
    puts("no end");
out:
    printf("%d %d %d %c %d", lines, total, quoted, last, errno);
    for (int i = 0; i < 8; i++)
        printf(" %d", lengths[i]);
    printf(" %d %s\n", begun == ended, argc > 1 ? argv[1] : "");
    return 0;
}
"#;

#[test]
fn the_program_does_what_it_did() {
    let inputs = ["one two\n# no\n\"three four\nend\nfive\n", "a\nb\n", "", "end\n"];
    in_parallel(&LEVELS, |level| {
        let bench = Bench::new();
        bench.file("lines.c", LINES);
        bench.file("runtime.c", RUNTIME);
        bench.plain(&["-c", "runtime.c"]);
        bench.plain(&[level, "lines.c", "runtime.o", "-o", "plain"]);
        for debug in ["-g0", "-g"] {
            bench.dsu("", &[level, debug, "-c", "lines.c"]);
            let metadata = &units(&bench.read("lines.o"))[0].metadata;
            let expected = serde_json::json!([{ "function": "main", "body": "main.dsu_loop", "refused": "" }]);
            assert_eq!(metadata["loops"], expected, "{level} {debug}");
            bench.plain(&["lines.o", "runtime.o", "-o", "outlined"]);
            for input in inputs {
                bench.file("input", input);
                let run = |program: &str| bench.run("sh", &["-c", &format!("./{program} x <input")]);
                assert_eq!(run("outlined"), run("plain"), "{level} {debug} {input:?}");
            }
        }
    });
}

/// The loop keeps the blocking call and the point; what is called has a stub.
#[test]
fn what_waits_stays_outside() {
    let bench = Bench::new();
    let source = "int accept(int, void *, void *); void work(int); void more(int);
        int main(void) { for (;;) { int s = accept(3, 0, 0); if (s < 0) continue; work(s); more(s); } }";
    bench.file("a.c", source);
    bench.dsu("", &["-O2", "-c", "a.c"]);
    let unit = &units(&bench.read("a.o"))[0];
    let context = dsu_pass::llvm::Context::new();
    let stored = context.parse(&unit.bitcode, "unit").expect("bitcode");
    for (callee, caller) in [("accept", "main"), ("__dsu_quiescence_point", "main"), ("work", "main.dsu_loop")] {
        let calls = stored.calls_of(callee);
        assert_eq!(calls.iter().map(|call| call.caller().name()).collect::<Vec<_>>(), [caller], "{callee}");
    }
    assert!(stored.function("main.dsu_loop").expect("it was made").has_attribute("noinline"));
    bench.dsu("outline-loops=off", &["-O2", "-c", "a.c"]);
    let metadata = &units(&bench.read("a.o"))[0].metadata;
    assert_eq!((&metadata["loops"], metadata["waits"].as_array().map(Vec::len)), (&serde_json::json!([]), Some(2)));
}

#[test]
fn frames_that_cannot_be_taken_apart_are_left_alone() {
    let declared = "int accept(int, void *, void *); void work(int); void use(void *); int pause(void);
        void __dsu_quiescence_point(void);";
    let server = |before: &str, inside: &str| {
        format!("int main(void) {{ {before} for (;;) {{ int s = accept(3, 0, 0); {inside} work(s); }} }}")
    };
    let labels = "static void *const to[] = { &&again, &&other };";
    let cases = [
        (format!("#include <setjmp.h>\njmp_buf b; {}", server("", "setjmp(b);")), "may return twice"),
        (server(labels, "goto *to[s & 1]; again: work(1); other:"), "addresses of labels"),
        (server("", "char *room = __builtin_alloca(s); use(room);"), "allocates on the function's stack"),
        (server("", "use(__builtin_frame_address(0));"), "looks at its own frame"),
        (
            "#include <stdarg.h>\nvoid f(int n, ...) { va_list l; va_start(l, n);
            for (;;) { __dsu_quiescence_point(); work(va_arg(l, int)); } }"
                .to_owned(),
            "variable number",
        ),
        ("int main(void) { for (;;) pause(); }".to_owned(), "does nothing but wait"),
    ];
    for (source, reason) in cases {
        let bench = Bench::new();
        bench.file("a.c", &format!("{declared}\n{source}"));
        for level in ["-O0", "-O2"] {
            bench.dsu("", &[level, "-w", "-c", "a.c"]);
            let loops = &units(&bench.read("a.o"))[0].metadata["loops"];
            let refused = loops[0]["refused"].as_str().expect("a loop with a reason");
            assert!(refused.contains(reason), "{level} {source}: {refused}");
            assert_eq!(loops[0]["body"], "", "{level} {source}");
        }
    }
}

/// The wait is an `invoke` there: the region ends on both of its ways.
#[test]
fn a_wait_that_may_throw_ends_on_both_ways() {
    let bench = Bench::new();
    bench.file("runtime.c", RUNTIME);
    bench.plain(&["-c", "runtime.c"]);
    let source = r#"
        #include <cstdio>
        extern "C" int accept(int fd, void *, void *) throw(int);
        extern "C" { extern int begun, ended; void work(int s) { std::printf("work %d\n", s); } }
        struct Guard { ~Guard() { std::printf("%d %d\n", begun, ended); } };
        int main() { for (;;) { Guard g; try { int s = accept(3, 0, 0); work(s); } catch (int x) { std::printf("%d\n", x); break; } } }
    "#;
    bench.file("a.cpp", source);
    bench.file(
        "b.cpp",
        "extern \"C\" int accept(int, void *, void *) { static int n; if (++n == 3) throw 5; return n; }",
    );
    for level in ["-O0", "-O2"] {
        bench.plain(&["-c", "b.cpp"]);
        bench.dsu("", &[level, "-std=c++14", "-c", "a.cpp"]);
        let metadata = &units(&bench.read("a.o"))[0].metadata;
        assert_eq!(metadata["waits"].as_array().map(Vec::len), Some(2), "{level}: {}", metadata["waits"]);
        bench.run("clang++-19", &["a.o", "b.o", "runtime.o", "-o", "program"]);
        assert_eq!(bench.run("./program", &[]), "work 1\n1 1\nwork 2\n2 2\n5\n3 3\n", "{level}");
        assert!(metadata["loops"][0]["refused"].as_str().expect("a reason").contains("exceptions"), "{level}");
    }
}
