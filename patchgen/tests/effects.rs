//! What a change does not do is said before anybody is disappointed; a change that does nothing has its own verdict.

mod common;

use common::{Place, patchgen};
use serde_json::Value;

/// The parts of a program: what `main` does first, the function that changes, and whatever else it has.
struct Program {
    beginning: &'static str,
    changed: &'static str,
    rest: &'static str,
}

impl Program {
    fn source(&self, version: u32) -> String {
        let Self { beginning, changed, rest } = self;
        format!(
            "#include <signal.h>\n#include <stdio.h>\n#include <unistd.h>\nint limit, seen;\n{rest}\n\
             {}\n__attribute__((noinline)) static void serve(void) {{ printf(\"%d\\n\", limit); fflush(stdout); }}\n\
             int main(int argc, char **argv) {{ (void)argc; (void)argv; {beginning} for (;;) {{ serve(); sleep(1); }} }}\n",
            changed.replace("VERSION", &version.to_string())
        )
    }
}

/// The answer of `patchgen diff --json` and its exit code.
fn diff(place: &Place, program: &Program) -> (Value, i32) {
    let old = place.build_with("old", &program.source(1), &["-O2"]);
    let new = place.build_with("new", &program.source(2), &["-O2"]);
    let output = patchgen(&["diff".as_ref(), &old, &new, "--json".as_ref()]);
    let report = serde_json::from_slice(&output.stdout).expect("JSON");
    (report, output.status.code().expect("it ends by itself"))
}

fn kinds(report: &Value) -> Vec<(&str, &str)> {
    let list = report["effects"].as_array().expect("a list");
    list.iter().map(|e| (e["kind"].as_str().expect("a kind"), e["subject"].as_str().expect("a subject"))).collect()
}

const SETS_LIMIT: &str = "__attribute__((noinline)) static void read_options(void) { limit = VERSION; }";

#[test]
fn what_only_the_beginning_calls_has_no_effect() {
    let Some(place) = Place::new() else { return };
    let chain = "__attribute__((noinline)) static void inner(void) { limit = VERSION; __asm__(\"\"); }\n\
                 __attribute__((noinline)) static void read_options(void) { inner(); __asm__(\"\"); }";
    let constructor = "__attribute__((constructor)) static void first(void) { seen = 1; }\n\
                       __attribute__((noinline)) static void read_options(void) { limit = VERSION; }";
    let inputs = [
        ("a call", "read_options();", SETS_LIMIT, "read_options"),
        ("a chain of calls", "read_options();", chain, "inner"),
        ("a loop over options", "while (argc-- > 1) read_options();", SETS_LIMIT, "read_options"),
        ("beside a constructor", "if (argc > 1) read_options();", constructor, "read_options"),
    ];
    for (what, beginning, changed, function) in inputs {
        let (report, code) = diff(&place, &Program { beginning, changed, rest: "" });
        assert_eq!(report["verdict"], "no-effect", "{what}: {report:#}");
        assert_eq!(kinds(&report), [("start-up", function)], "{what}");
        assert_eq!(report["effects"][0]["variables"], serde_json::json!(["limit"]), "{what}");
        assert_eq!(code, 5, "{what}");
    }
}

#[test]
fn what_may_run_again_is_not_called_a_beginning() {
    let Some(place) = Place::new() else { return };
    let handler = "static void on_signal(int);";
    let by_pointer = "__attribute__((noinline)) static void read_options(void) { limit = VERSION; }\n\
                      void (*volatile reload)(void) = read_options;";
    let registered = "__attribute__((noinline)) static void on_signal(int n) { (void)n; limit = VERSION; }";
    let also_later = "__attribute__((noinline)) static void read_options(void) { limit = VERSION; }\n\
                      __attribute__((noinline)) static void round(void) { if (seen) read_options(); __asm__(\"\"); }";
    let inputs = [
        ("held by a variable", "read_options();", by_pointer, ""),
        ("a signal handler", "signal(SIGHUP, on_signal);", registered, handler),
        ("called in the loop as well", "read_options(); for (;;) { round(); sleep(1); }", also_later, ""),
        ("called behind the wait", "sleep(1); read_options();", SETS_LIMIT, ""),
    ];
    for (what, beginning, changed, rest) in inputs {
        let (report, code) = diff(&place, &Program { beginning, changed, rest });
        assert_eq!((report["verdict"].as_str(), code), (Some("apply"), 0), "{what}: {report:#}");
        assert!(kinds(&report).iter().all(|(kind, _)| *kind != "start-up"), "{what}: {report:#}");
    }
}

#[test]
fn a_patch_that_does_something_says_what_it_does_not() {
    let Some(place) = Place::new() else { return };
    let changed = "__attribute__((noinline)) static void read_options(void) { limit = VERSION; }\n\
                   __attribute__((noinline)) static int depth(int n) { return n < VERSION ? 1 : depth(n - 1) + depth(n - 2); }";
    let beginning = "read_options(); for (;;) { seen = depth(seen + argc); sleep(1); }";
    let (report, code) = diff(&place, &Program { beginning, changed, rest: "" });
    assert_eq!((report["verdict"].as_str(), code), (Some("apply"), 0));
    let kinds = kinds(&report);
    assert!(kinds.contains(&("start-up", "read_options")) && kinds.contains(&("recursive", "depth")), "{kinds:?}");
}

#[test]
fn a_change_of_main_alone_does_nothing_and_says_so() {
    let Some(place) = Place::new() else { return };
    let source = |version: u32| {
        format!(
            "#include <poll.h>\n#include <stdio.h>\nvolatile int stop;\nint main(void) {{ printf(\"version {version}\\n\");\n\
             while (!stop) {{ poll(0, 0, 200); puts(\"round\"); fflush(stdout); }} return 0; }}\n"
        )
    };
    let old = place.build_with("old", &source(1), &["-O2"]);
    let new = place.build_with("new", &source(2), &["-O2"]);
    let output = patchgen(&["diff".as_ref(), &old, &new]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(5), "{text}");
    assert!(text.contains("`main` is called once"), "{text}");
}

#[test]
fn a_member_with_another_name_is_named() {
    let Some(place) = Place::new() else { return };
    let source = |member: &str, factor: u32| {
        format!(
            "#include <stdlib.h>\n#include <unistd.h>\nstruct conf {{ int a, {member}; }} *c;\n\
             __attribute__((noinline)) int too_big(int n) {{ return n > c->{member} * {factor}; }}\n\
             int main(void) {{ c = malloc(sizeof *c); c->{member} = getppid(); while (!too_big(7)) sleep(1); return 0; }}\n"
        )
    };
    let old = place.build_with("old", &source("limit_kb", 1024), &["-O2"]);
    let new = place.build_with("new", &source("limit_bytes", 1), &["-O2"]);
    let output = patchgen(&["diff".as_ref(), &old, &new, "--json".as_ref()]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(kinds(&report).contains(&("member-renamed", "conf")), "{report:#}");
    assert!(report["effects"].to_string().contains("member `limit_kb` of `conf` is `limit_bytes` now"), "{report:#}");
}
