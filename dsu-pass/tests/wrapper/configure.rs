//! Build systems that examine the compiler come to the same conclusions as with clang.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{CLANG, CLANGXX, Toolchain, command, succeed, text, write};

/// What a configure run concluded: its output and the files it left, without the names of compiler and directory.
struct Conclusions {
    parts: Vec<(String, String)>,
}

/// One of the two compilers under test, with all the names it may appear under.
struct Compiler {
    c: String,
    cxx: String,
    names: Vec<(String, &'static str)>,
}

impl Compiler {
    fn clang() -> Self {
        let names = [(format!("/usr/bin/{CLANGXX}"), "CXX"), (format!("/usr/bin/{CLANG}"), "CC")];
        let names = [&names[..], &[(CLANGXX.into(), "CXX"), (CLANG.into(), "CC")]].concat();
        Self { c: CLANG.into(), cxx: CLANGXX.into(), names }
    }

    fn wrapper() -> Self {
        let (c, cxx) = (Toolchain::get().name("dsu-cc"), Toolchain::get().name("dsu-c++"));
        let names = vec![(cxx.clone(), "CXX"), (c.clone(), "CC")];
        Self { c, cxx, names }
    }

    fn anonymous(&self, text: &str, directory: &Path) -> String {
        let mut text = text.replace(directory.to_str().expect("plain name"), "DIRECTORY");
        for (name, stand_in) in &self.names {
            text = text.replace(name, stand_in);
        }
        text
    }
}

/// Configures, builds and runs `project` with one compiler.
fn conclude(
    compiler: &Compiler,
    project: &[(&str, &str)],
    steps: &dyn Fn(&Compiler, &Path) -> Vec<Step>,
) -> Conclusions {
    let base = tempfile::tempdir().expect("temporary directory");
    let directory = base.path().join("project");
    write(&directory, project);
    let mut parts = Vec::new();
    for step in steps(compiler, &directory) {
        match step {
            Step::Run(mut command) => {
                let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}; run ci/install-deps.sh"));
                let shown = text(&output.stdout) + &text(&output.stderr);
                assert!(output.status.success(), "{command:?} failed:\n{shown}");
                parts.push((format!("{:?}", command.get_program()), compiler.anonymous(&shown, &directory)));
            }
            Step::Read(file) => {
                let content = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("`{}`: {e}", file.display()));
                let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                parts.push((name, compiler.anonymous(&content, &directory)));
            }
        }
    }
    Conclusions { parts }
}

/// A part of a conclusion.
enum Step {
    /// A command; what it prints counts.
    Run(Command),
    /// A file; its content counts.
    Read(PathBuf),
}

/// Both compilers lead to the same conclusions, but for lines that `ignored` says may differ.
fn assert_same(
    project: &[(&str, &str)],
    steps: &dyn Fn(&Compiler, &Path) -> Vec<Step>,
    ignored: &dyn Fn(&str) -> bool,
) {
    let [theirs, ours] = [Compiler::clang(), Compiler::wrapper()].map(|compiler| conclude(&compiler, project, steps));
    let mut wrong = String::new();
    for ((name, theirs), (_, ours)) in theirs.parts.iter().zip(&ours.parts) {
        let lines = |text: &str| text.lines().filter(|l| !ignored(l)).map(str::to_owned).collect::<Vec<_>>();
        let (theirs, ours) = (lines(theirs), lines(ours));
        for line in theirs.iter().filter(|line| !ours.contains(line)) {
            wrong.push_str(&format!("{name}: only clang: {line}\n"));
        }
        for line in ours.iter().filter(|line| !theirs.contains(line)) {
            wrong.push_str(&format!("{name}: only wrapper: {line}\n"));
        }
    }
    assert!(wrong.is_empty(), "configuration differs:\n{wrong}");
}

const PROGRAM: &str = "#include <stdio.h>\n#include \"config.h\"\nint answer(void);\n\
                       int main(void) { printf(\"%d\\n\", answer()); return 0; }\n";
const LIBRARY: &str = "int answer(void) { return 42; }\n";

const CONFIGURE_AC: &str = r#"
AC_INIT([mini], [1.0])
AM_INIT_AUTOMAKE([foreign])
AC_CONFIG_HEADERS([config.h])
AC_PROG_CC
AC_PROG_CXX
AC_PROG_CPP
AC_USE_SYSTEM_EXTENSIONS
AM_PROG_AR
LT_INIT
AC_C_INLINE
AC_C_RESTRICT
AC_C_BIGENDIAN
AC_CHECK_HEADERS([stdio.h sys/epoll.h no/such/header.h])
AC_CHECK_FUNCS([epoll_create1 accept4 no_such_function mmap])
AC_CHECK_SIZEOF([long])
AC_CHECK_TYPES([ssize_t, no_such_type])
AC_SEARCH_LIBS([cos], [m])
AC_SEARCH_LIBS([no_such_function], [m dl])
for flag in -Wall -Wno-such-warning -fstack-protector-strong -fno-such-flag -march=x86-64-v2 -Wl,-z,now -Wl,--no-such \
  -flto -static -fcf-protection -mshstk; do
 AC_MSG_CHECKING([whether the compiler takes $flag])
 saved=$CFLAGS; CFLAGS="$CFLAGS -Werror $flag"
 AC_LINK_IFELSE([AC_LANG_PROGRAM([[]], [[return 0;]])], [AC_MSG_RESULT([yes])], [AC_MSG_RESULT([no])])
 CFLAGS=$saved
done
AC_MSG_CHECKING([whether a quiet compile says nothing])
AC_LANG_CONFTEST([AC_LANG_SOURCE([[int x;]])])
if test -z "`$CC -Werror -c conftest.c -o conftest.o 2>&1`"; then AC_MSG_RESULT([yes]); else AC_MSG_RESULT([no]); fi
AC_CACHE_CHECK([whether programs run], [mini_cv_run], [AC_RUN_IFELSE([AC_LANG_PROGRAM([[]], [[return 0;]])], [mini_cv_run=yes], [mini_cv_run=no])])
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
"#;
const MAKEFILE_AM: &str = "lib_LTLIBRARIES = libanswer.la\nlibanswer_la_SOURCES = answer.c plus.cc\nbin_PROGRAMS = mini\n\
                           mini_SOURCES = main.c\nmini_LDADD = libanswer.la\nACLOCAL_AMFLAGS = -I m4\n";

#[test]
fn autoconf_and_libtool() {
    let project = [
        ("configure.ac", CONFIGURE_AC),
        ("Makefile.am", MAKEFILE_AM),
        ("main.c", PROGRAM),
        ("answer.c", LIBRARY),
        ("plus.cc", "#include <string>\nstd::string plus(std::string a) { return a + \"!\"; }\n"),
        ("m4/here", ""),
    ];
    let steps = |compiler: &Compiler, directory: &Path| {
        succeed("autoreconf", "-fi", directory);
        let mut configure = command("./configure", directory);
        configure.args([format!("CC={}", compiler.c), format!("CXX={}", compiler.cxx)]);
        steps_of(configure, directory, &["config.h", "libtool"], &["make -s", "./mini"])
    };
    assert_same(&project, &steps, &|line| line.contains("Libtool was configured on host"));
}

/// The steps: `configure`, reading `files`, then `lines`.
fn steps_of(configure: Command, directory: &Path, files: &[&str], lines: &[&str]) -> Vec<Step> {
    let mut steps = vec![Step::Run(configure)];
    steps.extend(files.iter().map(|file| Step::Read(directory.join(file))));
    for line in lines {
        let mut words = line.split_whitespace();
        let mut step = command(words.next().expect("not empty"), directory);
        step.args(words);
        steps.push(Step::Run(step));
    }
    steps
}

/// Not asked: `check_ipo_supported`. CMake takes `dsu-` for the prefix of a cross compiler, finds no `dsu-llvm-ar-19` and
/// answers no, which suits: code generated at link time is not instrumented.
const CMAKE: &str = r#"
cmake_minimum_required(VERSION 3.25)
project(mini C CXX)
include(CheckCCompilerFlag)
include(CheckFunctionExists)
include(CheckIncludeFile)
include(CheckSymbolExists)
include(CheckTypeSize)
include(CheckPIESupported)
include(CheckLinkerFlag)
find_package(Threads REQUIRED)
check_c_compiler_flag(-Wall HAS_WALL)
check_c_compiler_flag(-fno-such-flag HAS_NO_SUCH)
check_c_compiler_flag("-Werror;-fstack-protector-strong" HAS_SSP)
check_linker_flag(C -Wl,-z,now HAS_NOW)
check_linker_flag(C -Wl,--no-such HAS_NO_SUCH_LINK)
check_function_exists(epoll_create1 HAS_EPOLL)
check_function_exists(no_such_function HAS_NONE)
check_include_file(sys/epoll.h HAS_EPOLL_H)
check_symbol_exists(O_CLOEXEC fcntl.h HAS_CLOEXEC)
check_type_size(long LONG)
check_pie_supported(OUTPUT_VARIABLE out LANGUAGES C)
try_run(RUNS COMPILES ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR}/answer_main.c)
foreach(v HAS_WALL HAS_NO_SUCH HAS_SSP HAS_NOW HAS_NO_SUCH_LINK HAS_EPOLL HAS_NONE HAS_EPOLL_H HAS_CLOEXEC LONG
        RUNS COMPILES CMAKE_C_COMPILER_ID CMAKE_C_COMPILER_VERSION CMAKE_C_IMPLICIT_LINK_LIBRARIES
        CMAKE_CXX_IMPLICIT_LINK_LIBRARIES CMAKE_C_IMPLICIT_LINK_DIRECTORIES CMAKE_C_COMPILE_FEATURES CMAKE_C_LINK_PIE_SUPPORTED
        CMAKE_C_STANDARD_COMPUTED_DEFAULT CMAKE_C_COMPILER_FRONTEND_VARIANT CMAKE_C_SIMULATE_ID)
  message(STATUS "${v} is ${${v}}")
endforeach()
file(WRITE ${CMAKE_BINARY_DIR}/config.h "")
include_directories(${CMAKE_BINARY_DIR})
add_library(answer SHARED answer.c)
add_library(plus STATIC plus.cc)
add_executable(mini main.c)
target_link_libraries(mini answer plus Threads::Threads)
set_target_properties(mini PROPERTIES POSITION_INDEPENDENT_CODE ON LINKER_LANGUAGE CXX)
"#;

#[test]
fn cmake() {
    let project = [
        ("CMakeLists.txt", CMAKE),
        ("main.c", PROGRAM),
        ("answer.c", LIBRARY),
        ("answer_main.c", "int main(void) { return 0; }\n"),
        ("plus.cc", "#include <string>\nstd::string plus(std::string a) { return a + \"!\"; }\n"),
    ];
    let steps = |compiler: &Compiler, directory: &Path| {
        let mut configure = command("cmake", directory);
        configure.args(["-S", ".", "-B", "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo"]);
        let compilers = [("C", &compiler.c), ("CXX", &compiler.cxx)];
        configure.args(compilers.map(|(language, name)| format!("-DCMAKE_{language}_COMPILER={name}")));
        steps_of(configure, directory, &[], &["cmake --build build", "build/mini"])
    };
    assert_same(&project, &steps, &|line| line.starts_with('['));
}

const MESON: &str = r#"
project('mini', 'c', 'cpp', default_options: ['b_pie=true', 'buildtype=debugoptimized'])
cc = meson.get_compiler('c')
message(cc.get_id(), cc.version(), cc.get_linker_id(), cc.sizeof('long'), cc.alignment('double'))
foreach flag : ['-Wall', '-fno-such-flag', '-fstack-protector-strong', '-Wno-such-warning']
  message(flag, cc.has_argument(flag))
endforeach
foreach flag : ['-Wl,-z,now', '-Wl,--no-such', '-static']
  message(flag, cc.has_link_argument(flag))
endforeach
foreach f : ['epoll_create1', 'no_such_function', 'mmap']
  message(f, cc.has_function(f))
endforeach
message(cc.has_header('sys/epoll.h'), cc.has_header('no/such.h'), cc.has_type('ssize_t', prefix: '#include <sys/types.h>'))
message(cc.has_function_attribute('ifunc'), cc.get_define('__clang_major__'), cc.run('int main(void) { return 7; }').returncode())
message(cc.symbols_have_underscore_prefix(), cc.find_library('m').found(), cc.find_library('no_such_library', required: false).found())
configure_file(output: 'config.h', configuration: configuration_data({'X': 1}))
add_languages('c')
answer = shared_library('answer', 'answer.c')
plus = static_library('plus', 'plus.cc')
executable('mini', 'main.c', link_with: [answer, plus], dependencies: dependency('threads'))
"#;

#[test]
fn meson() {
    let project = [
        ("meson.build", MESON),
        ("main.c", PROGRAM),
        ("answer.c", LIBRARY),
        ("plus.cc", "#include <string>\nstd::string plus(std::string a) { return a + \"!\"; }\n"),
    ];
    let steps = |compiler: &Compiler, directory: &Path| {
        let mut configure = command("meson", directory);
        configure.args(["setup", "build"]).env("CC", &compiler.c).env("CXX", &compiler.cxx);
        let compile = "ninja -C build --quiet";
        steps_of(configure, directory, &["build/build.ninja"], &[compile, "build/mini"])
    };
    assert_same(&project, &steps, &|line| line.starts_with('['));
}
