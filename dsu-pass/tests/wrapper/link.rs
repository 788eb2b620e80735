//! What linking adds, with every linker, and that nothing gets lost on the way.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::{CLANG, Toolchain, command, run, succeed, text, write};

const MAIN: &str = "#include <dsu.h>\n#include <stdio.h>\nint part(int);\n\
                    static __attribute__((noinline)) int local(int x) { return x * 2; }\n\
                    int main(void) { DSU_QUIESCENCE_POINT(); printf(\"%d\\n\", part(local(20))); return 0; }\n";
const PART: &str = "int part(int x) { return x + 2; }\nint never_called(int x) { return x - 2; }\n";
/// Where Debian's build flags are for hardening.
const HARDENED: &str = "-g -O2 -fstack-protector-strong -Wformat -Werror=format-security -D_FORTIFY_SOURCE=2 \
                        -Wdate-time -fPIE -pie -Wl,-z,relro -Wl,-z,now";
/// The symbols a program shows to the libraries it loads.
const SHOWN: [&str; 4] = ["__dsu_runtime", "__dsu_generation", "__dsu_thread_generation", "__dsu_quiesce"];

fn sources() -> TempDir {
    let directory = tempfile::tempdir().expect("temporary directory");
    write(directory.path(), &[("main.c", MAIN), ("part.c", PART)]);
    directory
}

fn wrapper() -> String {
    Toolchain::get().name("dsu-cc")
}

/// Names of the sections.
fn sections(file: &str, directory: &Path) -> String {
    succeed("readelf", &format!("-SW {file}"), directory)
}

fn dynamic_symbols(file: &str, directory: &Path) -> String {
    succeed("readelf", &format!("-W --dyn-syms {file}"), directory)
}

/// The length of the build-id in hexadecimal digits.
fn build_id_digits(file: &str, directory: &Path) -> usize {
    let notes = succeed("readelf", &format!("-n {file}"), directory);
    let id = notes.lines().find_map(|line| line.trim().strip_prefix("Build ID: "));
    id.map_or(0, |id| id.trim().len())
}

fn assert_updatable(file: &str, directory: &Path, how: &str) {
    let sections = sections(file, directory);
    for section in [".note.dsu", ".debug.dsu_bc", ".debug.dsu_sym"] {
        assert!(sections.contains(section), "`{how}`: no section `{section}`:\n{sections}");
    }
    let symbols = dynamic_symbols(file, directory);
    for symbol in SHOWN {
        assert!(symbols.contains(symbol), "`{how}`: `{symbol}` is not exported:\n{symbols}");
    }
    assert_eq!(build_id_digits(file, directory), 40, "`{how}`: build-id");
}

#[test]
fn programs_are_updatable_with_every_linker_and_in_every_form() {
    let directory = sources();
    let forms = ["-O0", "-O2", "-Os", "-O2 -fPIE -pie", "-O2 -no-pie", "-O2 -s", HARDENED];
    let garbage = "-O2 -ffunction-sections -fdata-sections -Wl,--gc-sections";
    for linker in ["bfd", "gold", "lld"] {
        for form in forms.iter().chain([&garbage]) {
            let how = format!("-fuse-ld={linker} {form} main.c part.c -o prog");
            succeed(&wrapper(), &how, directory.path());
            assert_eq!(succeed("./prog", "", directory.path()), "42\n", "`{how}`");
            if !form.contains("-s") || form.contains("-fstack") {
                assert_updatable("prog", directory.path(), &how);
            }
        }
    }
}

#[test]
fn both_dispatches_run() {
    let directory = sources();
    for dispatch in ["armed", "always"] {
        let how = format!("--dsu-dispatch={dispatch} -O2 main.c part.c -o prog");
        succeed(&wrapper(), &how, directory.path());
        assert_eq!(succeed("./prog", "", directory.path()), "42\n", "`{how}`");
        assert_updatable("prog", directory.path(), &how);
    }
}

#[test]
fn libraries_carry_the_runtime_and_share_the_programs() {
    let directory = sources();
    for linker in ["bfd", "gold", "lld"] {
        let line = format!("-fuse-ld={linker} -O2 -fPIC -shared part.c -Wl,-z,defs -o libpart.so");
        succeed(&wrapper(), &line, directory.path());
        assert_updatable("libpart.so", directory.path(), &line);
        for main in [wrapper(), CLANG.to_owned()] {
            let include = Toolchain::get().name("include");
            succeed(&main, &format!("-O2 -I {include} main.c ./libpart.so -o prog"), directory.path());
            assert_eq!(succeed("./prog", "", directory.path()), "42\n");
        }
    }
}

#[test]
fn objects_of_objects_and_archives_keep_the_record() {
    let directory = sources();
    succeed(&wrapper(), "-O2 -c main.c part.c", directory.path());
    succeed(&wrapper(), "-nostdlib -r main.o part.o -o both.o", directory.path());
    succeed(&wrapper(), "both.o -o prog", directory.path());
    assert_updatable("prog", directory.path(), "-r");
    succeed("ar", "rcs libpart.a part.o", directory.path());
    succeed(&wrapper(), "main.o libpart.a -o prog", directory.path());
    assert_updatable("prog", directory.path(), "ar");
    assert_eq!(succeed("./prog", "", directory.path()), "42\n");
}

#[test]
fn programs_that_cannot_have_the_runtime_still_run() {
    let directory = sources();
    let log = directory.path().join("log");
    for form in ["-static", "-static-pie -fPIE"] {
        succeed(&wrapper(), &format!("--dsu-log=log {form} -O2 main.c part.c -o prog"), directory.path());
        assert_eq!(succeed("./prog", "", directory.path()), "42\n", "`{form}`");
        assert!(!succeed("nm", "prog", directory.path()).contains("__dsu_runtime"), "`{form}` has the runtime");
    }
    let told = std::fs::read_to_string(log).expect("the log is written");
    assert!(told.contains("not updatable"), "{told}");
    succeed(&wrapper(), "-nostdlib -shared -fPIC -O2 main.c part.c -o libboth.so", directory.path());
}

#[test]
fn the_users_build_id_is_kept_unless_it_is_none() {
    let directory = sources();
    for (flag, digits) in [("md5", 32), ("0x12345678", 8), ("none", 40), ("sha1", 40)] {
        succeed(&wrapper(), &format!("main.c part.c -Wl,--build-id={flag} -o prog"), directory.path());
        assert_eq!(build_id_digits("prog", directory.path()), digits, "`--build-id={flag}`");
    }
}

#[test]
fn precompiled_headers_of_either_compiler_serve_both() {
    let directory = sources();
    write(directory.path(), &[("all.h", "#include <stdio.h>\nenum { ANSWER = 42 };\n")]);
    write(directory.path(), &[("use.c", "int main(void) { printf(\"%d\\n\", ANSWER); return 0; }\n")]);
    for (maker, user) in [(wrapper(), CLANG.into()), (CLANG.into(), wrapper()), (wrapper(), wrapper())] {
        for debug in ["", "-g"] {
            succeed(&maker, &format!("{debug} -x c-header all.h -o all.h.pch"), directory.path());
            succeed(&user, &format!("{debug} -Werror -include all.h use.c -o prog"), directory.path());
            assert_eq!(succeed("./prog", "", directory.path()), "42\n", "{maker} {user} {debug}");
        }
    }
}

#[test]
fn debug_information_is_in_the_object_only_if_asked_for() {
    let directory = sources();
    for (flags, kept) in [("-O2", false), ("-O2 -g", true), ("-g -g0", false), ("-g1", true)] {
        succeed(&wrapper(), &format!("{flags} -c part.c"), directory.path());
        let sections = sections("part.o", directory.path());
        assert_eq!(sections.contains(".debug_info"), kept, "`{flags}`:\n{sections}");
        assert!(sections.contains(".debug.dsu_bc"), "`{flags}`");
    }
}

#[test]
fn a_library_without_the_wrapper_is_as_the_readme_says() {
    let directory = sources();
    let readme = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).expect("the README is there");
    let block = readme.split("```sh").nth(1).and_then(|rest| rest.split("```").next()).expect("it has commands");
    let release = Toolchain::get().file("");
    let script = block.replace("target/release", release.to_str().expect("plain name"));
    let script = script.replace("runtime/include", &Toolchain::get().name("include"));
    let output = command("sh", directory.path()).args(["-e", "-c", &script]).output().expect("sh runs");
    assert!(output.status.success(), "{script}\n{}", text(&output.stderr));
    assert_eq!(text(&run("./prog", "", directory.path()).stdout), "42\n");
    assert_updatable("prog", directory.path(), &script);
}
