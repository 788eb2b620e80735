//! Every kind of invocation gives what clang gives: exit status, both outputs, the same files, programs that behave alike.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::OnceLock;

use crate::support::{CLANG, CLANGXX, Toolchain, command, files, run, succeed, text, write};

const FILES: &[(&str, &str)] = &[
    ("main.c", "#include \"part.h\"\n#include <stdio.h>\nint main(void) { printf(\"%d\\n\", part(40)); return 3; }\n"),
    ("part.c", "#include \"part.h\"\nint part(int x) { return x + STEP; }\n"),
    ("part.h", "#ifndef STEP\n#define STEP 2\n#endif\nint part(int);\n"),
    ("part.txt", "#include \"part.h\"\nint part(int x) { return x + 7; }\n"),
    ("whole.c", "#include <stdio.h>\nint main(void) { puts(\"whole\"); return 0; }\n"),
    ("bad.c", "int f(void) { return undeclared; }\n"),
    ("warn.c", "int f(void) { int unused = 1; return 0; }\n"),
    ("undefined.c", "int missing(void);\nint main(void) { return missing(); }\n"),
    ("asm.s", "\t.globl part\npart:\n\tlea 9(%rdi), %eax\n\tret\n\t.section .note.GNU-stack,\"\",@progbits\n"),
    (
        "cpp.S",
        "#define N 11\n\t.globl part\npart:\n\tlea N(%rdi), %eax\n\tret\n\t.section .note.GNU-stack,\"\",@progbits\n",
    ),
    (
        "class.cpp",
        "#include <cstdio>\nstruct S { int v; int get() const { return v; } };\nint main() { try { throw S{5}; } catch (const S &s) { std::printf(\"%d\\n\", s.get()); } }\n",
    ),
    ("args.rsp", "-O2 \"-DSTEP=4\"\nmain.c @inner.rsp\n"),
    ("inner.rsp", "part.c -o 'a.out'\n"),
    ("sub/here", ""),
];

/// Command lines for `dsu-cc`; `<` is followed by the file for standard input.
const LINES: &[&str] = &[
    "",
    "--version",
    "-v",
    "--help",
    "-dumpmachine",
    "-dumpversion",
    "-print-search-dirs",
    "-print-prog-name=ld",
    "--print-file-name=libc.so",
    "-E main.c",
    "-E -dM main.c -o out.txt",
    "-E - < part.c",
    "-S main.c",
    "-S -O2 part.c -o -",
    "-c main.c",
    "-c main.c part.c",
    "-c part.c -o sub/part.o",
    "-c part.c -osub/part.o",
    "-c part.c --output=sub/part.o",
    "main.c part.c",
    "main.c part.c -o prog",
    "-O3 -g main.c part.c -o prog",
    "main.o part.o -o prog",
    "main.c part.o -o prog -lm",
    "-o prog -- main.c part.c",
    "-x c part.txt -x none main.c -o prog",
    "-xc - -o prog < whole.c",
    "-x c -c - < whole.c",
    "-xc -c -",
    "-c asm.s",
    "-c cpp.S",
    "-Werror -c asm.s cpp.S",
    "main.c asm.s -o prog",
    "-g main.c cpp.S -o prog",
    "-x assembler-with-cpp -c cpp.S",
    "-E cpp.S",
    "-M main.c",
    "-MM main.c",
    "-MD -c main.c",
    "-MMD -MP -MF deps/none.d -c main.c",
    "-MMD -MP -MF sub/main.d -MT target -c main.c",
    "-Wp,-MD,sub/main.d -c main.c",
    "-fsyntax-only main.c",
    "-fsyntax-only bad.c",
    "-c bad.c",
    "-c bad.c part.c",
    "-c missing.c",
    "missing.c",
    "missing.o part.o",
    "-Wall -c warn.c",
    "-Wall -Werror -c warn.c",
    "-Werror -c part.c",
    "-Werror -Wunused-command-line-argument -c part.c -lm",
    "-Werror main.o part.o -I. -o prog",
    "undefined.c",
    "-no-such-flag -c part.c",
    "-Werror -fno-such-flag -c part.c",
    "-c part.c -o",
    "@args.rsp",
    "@missing.rsp",
    "-c @inner.rsp",
    "-fPIC -shared part.c -o libpart.so",
    "-r main.o part.o -o both.o",
    "-nostdlib -r main.o part.o -o both.o",
    "-static main.c part.c -o prog",
    "-static-pie -fPIE main.c part.c -o prog",
    "-no-pie main.c part.c -o prog",
    "-fPIE -pie main.c part.c -o prog",
    "-rdynamic main.c part.c -o prog",
    "-s main.c part.c -o prog",
    "-emit-llvm -c part.c",
    "-emit-llvm -S part.c",
    "-emit-llvm part.c",
    "-flto -c part.c",
    "-flto -fuse-ld=lld main.c part.c -o prog",
    "-fuse-ld=lld main.c part.c -o prog",
    "-fuse-ld=gold main.c part.c -o prog",
    "-fuse-ld=no-such-linker main.o part.o",
    "-save-temps -c part.c",
    "-save-temps main.c part.c -o prog",
    "-save-temps=obj -c part.c -o sub/part.o",
    "-x c-header part.h -o part.h.pch",
    "part.h",
    "-ffunction-sections -fdata-sections -Wl,--gc-sections main.c part.c -o prog",
    "-ffunction-sections -fuse-ld=lld -Wl,--gc-sections main.c part.c -o prog",
    "-Wl,--version",
    "-Wl,-z,relro -Wl,-z,now,-z,defs main.c part.c -o prog",
    "-Wl,--fatal-warnings main.c part.c -o prog",
    "-Wl,--as-needed -Wl,-O1 -Xlinker --hash-style=gnu main.c part.c -o prog",
    "-Wl,--no-such-option main.o part.o",
    "-Xclang -ast-list -fsyntax-only part.c",
    "-Xclang -emit-llvm -c part.c",
    "-Xclang -no-such-cc1-flag -c part.c",
    "-cc1 -triple x86_64-pc-linux-gnu -emit-llvm part.c -o -",
    "-O2 -g -gsplit-dwarf -c part.c",
    "-g1 -c part.c",
    "-gdwarf-4 main.c part.c -o prog",
    "--target=aarch64-linux-gnu -c part.c",
    "-m32 -c part.c",
    "-target x86_64-pc-linux-gnu -c part.c",
    "-nostdinc -c part.c",
    "-I sub -D STEP=1 -U STEP -include part.h -c part.c",
    "-DSTEP=8 main.c part.c -o prog",
    "-fstack-protector-strong -D_FORTIFY_SOURCE=2 -O2 -fcf-protection main.c part.c -o prog",
    "-pthread -std=gnu11 -pedantic main.c part.c -o prog",
    "-fno-integrated-as -c part.c",
    "--coverage -c part.c",
    "-fsanitize=undefined main.c part.c -o prog",
    "-fsanitize=address main.c part.c -o prog",
    "-ftime-trace -c part.c -o part.o",
    "--analyze part.c",
    "-Weverything -Werror -fsyntax-only part.c",
    "class.cpp -lstdc++ -o prog",
    "-o prog main.c part.c -Wl,-Map=prog.map",
    "-c part.c -fmodules -fmodules-cache-path=cache",
];

/// Lines where clang tells of its own commands, which are different ones.
const TALKATIVE: &[&str] =
    &["-v -c part.c", "-v main.o part.o -o prog", "-### main.c part.c", "-ccc-print-phases main.c"];

/// Lines for `dsu-c++`.
const CXX_LINES: &[&str] = &[
    "",
    "--version",
    "-c class.cpp",
    "class.cpp -o prog",
    "-O2 -std=c++20 class.cpp -o prog",
    "-x c main.c part.c -o prog",
];

/// The files above, and objects of two of them.
fn fixture(directory: &Path) {
    static OBJECTS: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    write(directory, FILES);
    let names = ["main.o", "part.o"].map(|name| directory.join(name));
    let objects = OBJECTS.get_or_init(|| {
        succeed(CLANG, "-c main.c part.c", directory);
        names.clone().map(|name| std::fs::read(name).expect("just compiled"))
    });
    names.iter().zip(objects).for_each(|(name, object)| std::fs::write(name, object).expect("file written"));
}

fn attempt(program: &str, line: &str, directory: &Path) -> Output {
    let (words, input) = line.split_once('<').map_or((line, None), |(words, file)| (words, Some(file.trim())));
    let mut command = command(program, directory);
    command.args(words.split_whitespace());
    let Some(input) = input else { return command.output().expect("the compiler runs") };
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("the compiler runs");
    let content = std::fs::read(directory.join(input)).expect("the fixture has it");
    child.stdin.take().expect("piped").write_all(&content).expect("the compiler reads it");
    child.wait_with_output().expect("the compiler ends")
}

/// Names of temporary files differ from run to run (`/tmp/main-1f2e3d.o`), and so do offsets in the code.
fn without_temporaries(bytes: &[u8]) -> String {
    let text = cut(&text(bytes), "(.text+", |c| c == ')');
    let mut parts = text.split("/tmp/");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(part.len());
        let stem = part[..end].split('-').next().unwrap_or_default();
        out.push_str(&format!("/tmp/{stem}{}", &part[end..]));
    }
    out
}

/// `text` without what stands between each `start` and the next `end`.
fn cut(text: &str, start: &str, end: impl Fn(char) -> bool) -> String {
    let mut parts = text.split(start);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(start);
        out.push_str(&part[part.find(&end).unwrap_or(0)..]);
    }
    out
}

/// Compares one command line in two copies of the fixture; what differs, in words.
fn differences(line: &str, clang: &str, wrapper: &str, base: &Path, talkative: bool) -> Vec<String> {
    let mut out = Vec::new();
    let sides = [clang, wrapper].map(|program| {
        // Both have the same path, as names of files get into outputs.
        let directory = base.join("work");
        fixture(&directory);
        let output = attempt(program, line, &directory);
        let behaviour = ["prog", "a.out"].map(|name| {
            let program = directory.join(name);
            let executable = program.metadata().is_ok_and(|found| found.permissions().mode() & 0o111 != 0);
            executable.then(|| run(program.to_str().expect("plain name"), "", &directory))
        });
        let produced = files(&directory);
        std::fs::remove_dir_all(&directory).expect("removed");
        (output, behaviour.map(|run| run.map(|run| (run.status, text(&run.stdout)))), produced)
    });
    let [(ours_out, ours_ran, ours_files), (theirs_out, theirs_ran, theirs_files)] = [&sides[1], &sides[0]];
    let mut check = |what: &str, ours: String, theirs: String| {
        if ours != theirs {
            out.push(format!("`{line}`: {what} differs\n--- clang\n{theirs}\n--- wrapper\n{ours}\n"));
        }
    };
    check("exit status", format!("{:?}", ours_out.status), format!("{:?}", theirs_out.status));
    if !talkative {
        check("standard error", without_temporaries(&ours_out.stderr), without_temporaries(&theirs_out.stderr));
    }
    if !line.contains("-o -") || line.contains("-emit-llvm") {
        check("standard output", without_temporaries(&ours_out.stdout), without_temporaries(&theirs_out.stdout));
    }
    check("behaviour of the program", format!("{ours_ran:?}"), format!("{theirs_ran:?}"));
    let names = |files: &std::collections::BTreeMap<String, Vec<u8>>| {
        // The names of a module cache are hashes of the flags.
        files.keys().filter(|name| !name.starts_with("cache/")).cloned().collect::<Vec<_>>().join("\n")
    };
    check("set of files", names(ours_files), names(theirs_files));
    for (name, content) in ours_files {
        let plain = [".d", ".i", ".ll", ".txt", ".dot"].iter().any(|end| name.ends_with(end));
        if plain && let Some(theirs) = theirs_files.get(name) {
            check(name, text(content), text(theirs));
        }
    }
    out
}

fn compare(lines: &[&str], clang: &str, wrapper: &str, talkative: bool) {
    let wrapper = Toolchain::get().name(wrapper);
    let base = tempfile::tempdir().expect("temporary directory");
    let failures: Vec<_> =
        lines.iter().flat_map(|line| differences(line, clang, &wrapper, base.path(), talkative)).collect();
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn c_invocations_give_what_clang_gives() {
    compare(LINES, CLANG, "dsu-cc", false);
}

#[test]
fn talkative_invocations_make_the_same_files() {
    compare(TALKATIVE, CLANG, "dsu-cc", true);
}

#[test]
fn cxx_invocations_give_what_clang_gives() {
    compare(CXX_LINES, CLANGXX, "dsu-c++", false);
}
