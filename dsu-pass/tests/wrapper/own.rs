//! The wrapper's own flags, its log, and what it says when something is missing.

use std::os::unix::process::ExitStatusExt;

use crate::support::{Toolchain, command, run, succeed, text, write};

const SOURCE: &[(&str, &str)] = &[("a.c", "int f(int x) { return x + 1; }\nint main(void) { return f(-1); }\n")];

#[test]
fn the_help_has_every_flag_and_examples() {
    let directory = tempfile::tempdir().expect("temporary directory");
    for (program, clang) in [("dsu-cc", "clang that"), ("dsu-c++", "clang++ that")] {
        let help = succeed(&Toolchain::get().name(program), "--dsu-help", directory.path());
        let wanted = ["dispatch", "list", "points", "outline-loops", "log", "verbose", "help"]
            .map(|flag| format!("--dsu-{flag}"));
        for part in wanted.iter().map(String::as_str).chain(["Examples:", "Exit status:", "DSU_CLANG", program, clang])
        {
            assert!(help.contains(part), "no `{part}` in:\n{help}");
        }
        assert!(help.lines().all(|line| line.len() <= 100), "a line is too long:\n{help}");
    }
}

#[test]
fn wrong_flags_are_usage_errors() {
    let directory = tempfile::tempdir().expect("temporary directory");
    for line in ["--dsu-frobnicate", "--dsu-dispatch=fast", "--dsu-log", "-c a.c --dsu-help=x"] {
        let output = run(&Toolchain::get().name("dsu-cc"), line, directory.path());
        assert_eq!(output.status.code(), Some(2), "`{line}`");
        assert!(text(&output.stderr).starts_with("dsu-cc: error: "), "`{line}`: {}", text(&output.stderr));
    }
}

#[test]
fn what_is_missing_is_named() {
    let directory = tempfile::tempdir().expect("temporary directory");
    write(directory.path(), SOURCE);
    let lonely = directory.path().join("dsu-cc");
    std::fs::copy(Toolchain::get().file("dsu-cc"), &lonely).expect("copied");
    let lonely = lonely.to_str().expect("plain name");
    let output = run(lonely, "-c a.c", directory.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("`libdsu_pass.so` not found"), "{}", text(&output.stderr));
    let disabled = command(lonely, directory.path()).args(["a.c", "-o", "prog"]).env("DSU_DISABLE", "1").status();
    assert!(disabled.expect("it runs").success(), "DSU_DISABLE needs nothing");
    assert!(run(lonely, "-E a.c", directory.path()).status.success(), "preprocessing needs nothing");

    let without_clang = command(lonely, directory.path()).arg("--version").env("PATH", "/nowhere").output();
    let without_clang = without_clang.expect("it runs");
    assert_eq!(without_clang.status.code(), Some(1));
    assert!(text(&without_clang.stderr).contains("set DSU_CLANG"), "{}", text(&without_clang.stderr));
    let wrong = command(lonely, directory.path()).arg("--version").env("DSU_CLANG", "/no/clang").output();
    assert!(text(&wrong.expect("it runs").stderr).contains("`/no/clang`"));
}

#[test]
fn reasons_are_logged_and_never_printed() {
    let directory = tempfile::tempdir().expect("temporary directory");
    write(directory.path(), SOURCE);
    let wrapper = Toolchain::get().name("dsu-cc");
    for line in ["-E a.c -o a.i", "-flto -c a.c", "-emit-llvm -c a.c", "--version", "-m32 -c a.c"] {
        let output = run(&wrapper, &format!("--dsu-log=sub.log {line}"), directory.path());
        assert!(text(&output.stderr).is_empty(), "`{line}`: {}", text(&output.stderr));
    }
    let log = std::fs::read_to_string(directory.path().join("sub.log")).expect("the log is written");
    for reason in ["before code", "`-flto`", "`-emit-llvm`", "`--version`", "`-m32`"] {
        assert!(log.lines().any(|line| line.starts_with("dsu-cc: ") && line.contains(reason)), "{reason}:\n{log}");
    }
    let loud = run(&wrapper, "--dsu-verbose -c a.c", directory.path());
    assert!(text(&loud.stderr).contains("dsu-cc: runs: "), "{}", text(&loud.stderr));
    let nowhere = run(&wrapper, "--dsu-log=no/such/dir.log -flto -c a.c", directory.path());
    assert!(text(&nowhere.stderr).contains("dir.log"), "{}", text(&nowhere.stderr));
}

#[test]
fn what_is_listed_is_left_alone_and_logged() {
    let directory = tempfile::tempdir().expect("temporary directory");
    write(directory.path(), SOURCE);
    write(directory.path(), &[("keep.list", "fun:f\n")]);
    let wrapper = Toolchain::get().name("dsu-cc");
    succeed(&wrapper, "--dsu-list=keep.list --dsu-log=log -O1 -c a.c", directory.path());
    let log = std::fs::read_to_string(directory.path().join("log")).expect("the log is written");
    assert!(log.contains("function `f` left alone"), "{log}");
    let missing = run(&wrapper, "--dsu-list=no.list -c a.c", directory.path());
    assert!(!missing.status.success() && text(&missing.stderr).contains("no.list"), "{}", text(&missing.stderr));
}

#[test]
fn flags_work_from_a_response_file_and_the_environment() {
    let directory = tempfile::tempdir().expect("temporary directory");
    write(directory.path(), SOURCE);
    write(directory.path(), &[("args", "--dsu-verbose --dsu-dispatch=always -c a.c\n")]);
    let wrapper = Toolchain::get().name("dsu-cc");
    let output = run(&wrapper, "@args", directory.path());
    assert!(output.status.success() && text(&output.stderr).contains("dispatch=always"), "{}", text(&output.stderr));
    let mut always = command(&wrapper, directory.path());
    let output = always.args(["--dsu-verbose", "-c", "a.c"]).env("DSU_DISPATCH", "always").output();
    assert!(text(&output.expect("it runs").stderr).contains("dispatch=always"));
}

#[test]
fn ccache_works_in_front() {
    let directory = tempfile::tempdir().expect("temporary directory");
    write(directory.path(), SOURCE);
    let wrapper = Toolchain::get().name("dsu-cc");
    let compile = |output: &str| {
        let mut ccache = command("ccache", directory.path());
        ccache.env("CCACHE_DIR", directory.path().join("cache")).args([&wrapper, "-O2", "-c", "a.c", "-o", output]);
        let run = ccache.output().expect("ccache runs: ci/install-deps.sh installs it");
        assert!(run.status.success() && run.stderr.is_empty(), "{}", text(&run.stderr));
        std::fs::read(directory.path().join(output)).expect("compiled")
    };
    assert_eq!(compile("one.o"), compile("two.o"));
    let mut statistics = command("ccache", directory.path());
    let statistics = statistics.env("CCACHE_DIR", directory.path().join("cache")).arg("--print-stats").output();
    let statistics = text(&statistics.expect("ccache runs").stdout);
    assert!(statistics.contains("direct_cache_hit\t1"), "{statistics}");
}

#[test]
fn exit_status_and_signals_are_clangs() {
    let directory = tempfile::tempdir().expect("temporary directory");
    write(directory.path(), &[("false-clang", "#!/bin/sh\n[ \"$1\" = die ] && kill -TERM $$\nexit 77\n")]);
    let clang = directory.path().join("false-clang");
    succeed("chmod", "+x false-clang", directory.path());
    let status = |word: &str| {
        let mut wrapper = command(&Toolchain::get().name("dsu-cc"), directory.path());
        wrapper.env("DSU_CLANG", &clang).env("DSU_DISABLE", "1").arg(word).status().expect("it runs")
    };
    assert_eq!(status("x").code(), Some(77));
    assert_eq!(status("die").signal(), Some(15));
}
