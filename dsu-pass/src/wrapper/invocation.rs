//! What clang will do with a command line: how far it goes, with which inputs, under which conditions.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::args::{Arg, parse};
use super::meaning::{Means, Stage};
use crate::toolchain::asks_for_ours;

/// What an input is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// A language that clang turns into LLVM's intermediate representation: C and its relatives.
    Source,
    /// A header: becomes a precompiled header.
    Header,
    /// LLVM's intermediate representation.
    Ir,
    /// Assembly text.
    Assembler,
    /// Goes straight to the linker.
    Object,
    /// Anything else clang knows: CUDA, OpenCL, Fortran…
    Foreign,
}

/// How much debug information the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Debug {
    /// None.
    None,
    /// Lines only, or otherwise less than the record needs.
    Partial,
    /// Types, scopes, lines.
    Full,
}

/// What the linker is told about its build-id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BuildId {
    /// Nothing.
    Unset,
    /// `--build-id=none`
    Refused,
    /// Some style or value.
    Chosen,
}

/// A command line, understood.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    /// Clang answers a question and does nothing else; the flag that asks it.
    pub(crate) question: Option<String>,
    /// The last stage that runs.
    pub(crate) stage: Stage,
    /// What the inputs are; `Content::Object` also stands for each `-l`.
    pub(crate) inputs: Vec<Content>,
    /// Files among the inputs, by the names clang finds them under; empty where `-working-directory` moves them.
    pub(crate) files: Vec<OsString>,
    /// A target other than x86-64 Linux, as typed.
    pub(crate) foreign_target: Option<String>,
    /// Debug information asked for.
    pub(crate) debug: Debug,
    /// `-emit-llvm`
    pub(crate) emits_llvm: bool,
    /// `-flto`
    pub(crate) lto: bool,
    /// An argument of cc1 that makes it produce something else, or skips the optimiser.
    pub(crate) cc1: Option<String>,
    /// `-static`, `-static-pie`
    pub(crate) links_static: bool,
    /// `-r`, `-Wl,-r`
    pub(crate) relocatable: bool,
    /// A link without the C library.
    pub(crate) without_libc: bool,
    /// The link removes symbols or debug information.
    pub(crate) strips: bool,
    /// What is said about the build-id.
    pub(crate) build_id: BuildId,
    /// Arguments that shape the code, in order.
    pub(crate) code_flags: Vec<String>,
}

impl Invocation {
    /// Reads the arguments (response files expanded, our own flags taken out).
    pub(crate) fn new(words: &[OsString]) -> Self {
        let args = parse(words);
        let linker = linker_words(&args);
        let says = |wanted: &[&str]| linker.iter().any(|word| wanted.contains(&word.as_ref()));
        let has = |means| args.iter().any(|a| a.means == means);
        let cc1_itself = words.first().filter(|w| w.as_bytes().starts_with(b"-cc1"));
        Self {
            question: cc1_itself.map(|w| text(w).into_owned()).or_else(|| question(&args)),
            stage: stage(&args),
            inputs: inputs(&args),
            files: files(&args),
            foreign_target: foreign_target(&args),
            debug: args.iter().filter(|a| a.means == Means::Debug).fold(Debug::None, debug),
            emits_llvm: has(Means::EmitLlvm),
            lto: last_of(&args, Means::Lto, Means::NoLto),
            cc1: args
                .iter()
                .filter(|a| a.means == Means::Cc1)
                .map(|a| text(a.value))
                .find(|a| diverts_cc1(a))
                .map(Cow::into_owned),
            links_static: has(Means::Static),
            relocatable: has(Means::Relocatable) || says(&["-r", "-i", "--relocatable", "-relocatable"]),
            without_libc: has(Means::NoLibc) && !links_libc(&args),
            strips: has(Means::Strip) || says(&["-s", "-S", "--strip-all", "--strip-debug", "-strip-all"]),
            build_id: build_id(&linker),
            code_flags: args
                .iter()
                .filter(|a| a.means == Means::Code)
                .flat_map(|a| a.words)
                .map(|w| text(w).into_owned())
                .collect(),
        }
    }
}

fn text(word: &OsStr) -> Cow<'_, str> {
    word.to_string_lossy()
}

fn last_of(args: &[Arg<'_>], on: Means, off: Means) -> bool {
    args.iter().rev().find(|a| a.means == on || a.means == off).is_some_and(|a| a.means == on)
}

fn question(args: &[Arg<'_>]) -> Option<String> {
    args.iter().find(|a| a.means == Means::Question).map(|a| text(&a.words[0]).into_owned())
}

fn stage(args: &[Arg<'_>]) -> Stage {
    let asked = args.iter().filter_map(|a| match a.means {
        Means::Stop(stage) => Some(stage),
        Means::DriverMode if a.value == "cpp" => Some(Stage::Preprocess),
        _ => None,
    });
    asked.min().unwrap_or(Stage::Link)
}

fn inputs(args: &[Arg<'_>]) -> Vec<Content> {
    let mut language = None;
    let mut out = Vec::new();
    for arg in args {
        match arg.means {
            Means::Language if arg.value == "none" => language = None,
            Means::Language => language = Some(named_language(&text(arg.value))),
            Means::Input => out.push(language.unwrap_or_else(|| by_extension(arg.value))),
            Means::Library => out.push(Content::Object),
            _ => {}
        }
    }
    out
}

fn files(args: &[Arg<'_>]) -> Vec<OsString> {
    if args.iter().any(|a| text(&a.words[0]).trim_start_matches('-').starts_with("working-directory")) {
        return Vec::new();
    }
    args.iter().filter(|a| a.means == Means::Input && a.value != "-").map(|a| a.value.to_owned()).collect()
}

/// The languages of `-x`.
fn named_language(name: &str) -> Content {
    match name {
        "assembler" | "assembler-with-cpp" => Content::Assembler,
        "ir" => Content::Ir,
        "c" | "c++" | "cpp-output" | "c++-cpp-output" | "c++-module" | "c++-module-cpp-output" => Content::Source,
        "objective-c" | "objective-c++" | "objc-cpp-output" | "objc++-cpp-output" => Content::Source,
        "objective-c-cpp-output" | "objective-c++-cpp-output" => Content::Source,
        _ if name.ends_with("-header") || name.contains("-header-") || name.ends_with("header-unit") => Content::Header,
        _ => Content::Foreign,
    }
}

/// What clang takes a file for by the end of its name; what it does not know goes to the linker.
fn by_extension(file: &OsStr) -> Content {
    let name = text(file);
    let Some((_, extension)) = name.rsplit_once('.') else { return Content::Object };
    match extension {
        "c" | "i" | "ii" | "m" | "mi" | "mm" | "M" | "mii" => Content::Source,
        "C" | "cc" | "CC" | "cp" | "cpp" | "CPP" | "cxx" | "CXX" | "c++" | "C++" => Content::Source,
        "cppm" | "ccm" | "cxxm" | "c++m" | "iim" | "iih" => Content::Source,
        "h" | "H" | "hh" | "hp" | "hpp" | "hxx" | "h++" | "hm" => Content::Header,
        "ll" | "bc" => Content::Ir,
        "s" | "S" | "asm" | "sx" => Content::Assembler,
        "cl" | "clcpp" | "cu" | "cui" | "hip" | "hipi" | "hlsl" | "rs" | "ast" | "pcm" => Content::Foreign,
        "f" | "F" | "for" | "FOR" | "f90" | "F90" | "f95" | "F95" | "f03" | "f08" => Content::Foreign,
        _ => Content::Object,
    }
}

fn foreign_target(args: &[Arg<'_>]) -> Option<String> {
    let narrow = args.iter().rev().find(|a| a.means == Means::Narrow || a.words[0] == "-m64");
    if let Some(arg) = narrow.filter(|a| a.means == Means::Narrow) {
        return Some(text(&arg.words[0]).into_owned());
    }
    let target = args.iter().rev().find(|a| a.means == Means::Target).map(|a| text(a.value))?;
    (!asks_for_ours(&target)).then(|| target.into_owned())
}

/// The debug information after one more `-g…`: the last one that names a kind or level decides.
fn debug(before: Debug, arg: &Arg<'_>) -> Debug {
    const KINDS: [&str; 6] = ["", "gdb", "lldb", "sce", "dbx", "full"];
    let value = text(arg.value);
    let (kind, level) = match value.char_indices().last() {
        Some((at, level)) if level.is_ascii_digit() && !value.starts_with("dwarf") => (&value[..at], Some(level)),
        _ => (value.as_ref(), None),
    };
    match (kind, level) {
        (_, Some('0')) if KINDS.contains(&kind) => Debug::None,
        (_, Some('1')) if KINDS.contains(&kind) => Debug::Partial,
        (_, _) if KINDS.contains(&kind) => Debug::Full,
        ("line-tables-only" | "line-directives-only" | "mlt" | "used", _) => Debug::Partial,
        ("dwarf" | "dwarf-2" | "dwarf-3" | "dwarf-4" | "dwarf-5", _) => Debug::Full,
        // `-gz`, `-gsplit-dwarf`, `-gno-…` and their kind change the form, not the amount.
        _ => before,
    }
}

fn diverts_cc1(argument: &str) -> bool {
    let another_output = argument.starts_with("-emit-") && argument != "-emit-obj";
    let another_action =
        argument.starts_with("-ast-") || argument.starts_with("-rewrite-") || argument == "-fsyntax-only";
    another_output || another_action || ["-disable-llvm-passes", "-analyze", "-E", "-S"].contains(&argument)
}

fn links_libc(args: &[Arg<'_>]) -> bool {
    args.iter().any(|a| a.means == Means::Library && a.value == "c")
}

fn linker_words<'a>(args: &[Arg<'a>]) -> Vec<Cow<'a, str>> {
    let mut out = Vec::new();
    for arg in args {
        match (arg.means, text(arg.value)) {
            (Means::LinkerWord, word) => out.push(word),
            (Means::LinkerList, list) => out.extend(list.split(',').map(|word| Cow::Owned(word.to_owned()))),
            _ => {}
        }
    }
    out
}

fn build_id(linker: &[Cow<'_, str>]) -> BuildId {
    let said = linker.iter().rev().find_map(|word| word.trim_start_matches('-').strip_prefix("build-id"));
    match said {
        None => BuildId::Unset,
        Some("=none") => BuildId::Refused,
        Some(_) => BuildId::Chosen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Invocation {
        Invocation::new(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn the_earliest_stage_wins() {
        let cases = [
            ("a.c", Stage::Link),
            ("-c a.c", Stage::Object),
            ("-S -c a.c", Stage::Assembly),
            ("-c -E a.c", Stage::Preprocess),
            ("-MD -c a.c", Stage::Object),
            ("-MM -c a.c", Stage::Preprocess),
            ("-fsyntax-only -c a.c", Stage::Check),
            ("--precompile a.cppm", Stage::Precompile),
            ("--driver-mode=cpp a.c", Stage::Preprocess),
        ];
        for (line, stage) in cases {
            assert_eq!(read(line).stage, stage, "`{line}`");
        }
    }

    #[test]
    fn inputs_are_told_by_language_then_by_extension() {
        use Content::*;
        let cases: [(&str, &[Content]); 9] = [
            ("a.c b.o c.S d.ll e.h f", &[Source, Object, Assembler, Ir, Header, Object]),
            ("-x c a.o -x none b.o", &[Source, Object]),
            ("-xc++ -", &[Source]),
            ("-x c-header a", &[Header]),
            ("-x cuda a.c", &[Foreign]),
            ("a.o -lm -l z", &[Object, Object, Object]),
            ("-o a.c b.o", &[Object]),
            ("-include a.h -isystem b.c c.c", &[Source]),
            ("dir.c/prog", &[Object]),
        ];
        for (line, expected) in cases {
            assert_eq!(read(line).inputs, expected, "`{line}`");
        }
    }

    #[test]
    fn the_last_word_on_debug_information_counts() {
        let cases = [
            ("", Debug::None),
            ("-g", Debug::Full),
            ("-g -g0", Debug::None),
            ("-g0 -ggdb3", Debug::Full),
            ("-ggdb0", Debug::None),
            ("-g1", Debug::Partial),
            ("-gline-tables-only", Debug::Partial),
            ("-gdwarf-4", Debug::Full),
            ("-gz=zlib -gsplit-dwarf", Debug::None),
            ("-g -gno-column-info", Debug::Full),
            ("-gen-reproducer=off", Debug::None),
        ];
        for (line, expected) in cases {
            assert_eq!(read(line).debug, expected, "`{line}`");
        }
    }

    #[test]
    fn only_x86_64_linux_is_at_home() {
        for line in ["", "--target=x86_64-pc-linux-gnu", "-target x86_64-linux-musl", "-m32 -m64", "-arch x86_64"] {
            assert_eq!(read(line).foreign_target, None, "`{line}`");
        }
        for line in ["-m32", "-mx32", "--target=aarch64-linux-gnu", "-target x86_64-apple-darwin", "-m64 -m16"] {
            assert!(read(line).foreign_target.is_some(), "`{line}`");
        }
    }

    #[test]
    fn words_for_the_linker_are_read_in_every_spelling() {
        assert_eq!(read("-Wl,--build-id").build_id, BuildId::Chosen);
        assert_eq!(read("-Xlinker --build-id=md5").build_id, BuildId::Chosen);
        assert_eq!(read("-Wl,-z,now,--build-id=none").build_id, BuildId::Refused);
        assert_eq!(read("-Wl,--build-id=none -Wl,--build-id").build_id, BuildId::Chosen);
        assert_eq!(read("-Wl,--as-needed").build_id, BuildId::Unset);
        assert!(read("-Wl,-O1,-s").strips && read("-s").strips && !read("-Wl,-soname,-s.so").relocatable);
        assert!(read("-Wl,-r").relocatable && read("-Xlinker -r").relocatable && !read("-rpath x").relocatable);
    }

    #[test]
    fn the_c_library_may_be_named_by_hand() {
        assert!(read("-nostdlib a.o").without_libc);
        assert!(!read("-nostdlib a.o -lc").without_libc);
        assert!(!read("-nostdlib++ a.o").without_libc);
    }

    #[test]
    fn flags_that_shape_code_are_kept_in_order() {
        let line = "-O2 -Wall -DX -I inc -fPIC -mllvm -foo -fdiagnostics-color=always -std=c99 -c a.c -o a.o";
        assert_eq!(read(line).code_flags, ["-O2", "-fPIC", "-mllvm", "-foo", "-std=c99"]);
    }
}
