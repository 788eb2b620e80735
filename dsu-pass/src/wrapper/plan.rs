//! Decides what to add to a command line. Pure: no file is looked at, nothing is run.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::invocation::{BuildId, Content, Invocation};
use super::meaning::Stage;
use super::plugin;
use super::settings::Settings;

/// Where the parts of the toolchain are; `None` is missing.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    /// Directory of the wrapper.
    pub(crate) home: PathBuf,
    /// The pass plugin.
    pub(crate) plugin: Option<PathBuf>,
    /// The runtime archive.
    pub(crate) runtime: Option<PathBuf>,
    /// What stands in for it in programs that cannot have it; they link without it unless they have quiescence points.
    pub(crate) inert: Option<PathBuf>,
    /// What interposes the waiting of libraries' event loops, for programs that call such loops.
    pub(crate) waits: Option<PathBuf>,
    /// Directory of `dsu.h`.
    pub(crate) include: Option<PathBuf>,
    /// Working directory.
    pub(crate) directory: PathBuf,
    /// An input file that is not there.
    pub(crate) missing_input: Option<String>,
}

/// What to do with a command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Run clang with additions.
    Add(Plan),
    /// Run clang with what was typed.
    PassThrough(Reason),
}

/// Additions to a command line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Before the user's arguments.
    pub(crate) front: Vec<OsString>,
    /// After them (but before a `--`).
    pub(crate) back: Vec<OsString>,
    /// What is left out or overridden all the same, and why.
    pub(crate) notes: Vec<Reason>,
}

/// Why something is not instrumented, not updatable, or not as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    /// `DSU_DISABLE`
    Disabled,
    /// `--version` and its kind.
    Question(String),
    /// No input files.
    NoInputs,
    /// Clang is about to say that an input does not exist.
    MissingInput(String),
    /// Stops before code is generated.
    NoCode,
    /// Assembly has no functions the pass could see.
    OnlyAssembly,
    /// Objects that are neither compiled nor linked here.
    NothingToDo,
    /// Another machine or system.
    ForeignTarget(String),
    /// CUDA, OpenCL, Fortran…
    ForeignLanguage,
    /// `-emit-llvm`
    Bitcode,
    /// `-flto`
    Lto,
    /// cc1 is told to do something else.
    DivertedCc1(String),
    /// `-static`
    Static,
    /// `-r`
    Relocatable,
    /// `-nostdlib`
    WithoutLibc,
    /// `-s`
    Stripped,
    /// `--build-id=none`
    BuildIdOverridden,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disabled => "DSU_DISABLE is set",
            Self::Question(flag) => return write!(f, "`{flag}` asks clang a question; nothing is compiled"),
            Self::NoInputs => "there is no input file",
            Self::MissingInput(file) => return write!(f, "input `{file}` does not exist"),
            Self::NoCode => "the command stops before code is generated",
            Self::OnlyAssembly => "assembly is not instrumented: the pass sees functions only in C and its relatives",
            Self::NothingToDo => "the inputs are neither compiled nor linked by this command",
            Self::ForeignTarget(target) => {
                return write!(f, "`{target}`: only x86-64 Linux can be updated; the output is plain clang's");
            }
            Self::ForeignLanguage => "an input is in a language that is not instrumented; the output is plain clang's",
            Self::Bitcode => "`-emit-llvm` writes bitcode; it is instrumented when it is compiled to an object",
            Self::Lto => {
                "`-flto` leaves code generation to the linker, where the pass does not run; compile without it"
            }
            Self::DivertedCc1(flag) => {
                return write!(f, "`-Xclang {flag}` makes cc1 produce something else than optimised code");
            }
            Self::Static => "a static program cannot load patches: linked without the runtime, not updatable",
            Self::Relocatable => "`-r` makes an object; the runtime is added when that is linked",
            Self::WithoutLibc => "linked without the C library, which the runtime needs: not updatable",
            Self::Stripped => "the link strips the record patches are built from; keep an unstripped copy for patchgen",
            Self::BuildIdOverridden => "`--build-id=none` is overridden: a patch finds its program by the build-id",
        })
    }
}

/// Decides. `invocation` is the command line without our own flags.
///
/// # Errors
/// When a part of the toolchain that is needed is missing.
pub(crate) fn decide(invocation: &Invocation, settings: &Settings, facts: &Facts) -> Result<Decision, Error> {
    if let Some(reason) = out_of_question(invocation, settings, facts) {
        return Ok(Decision::PassThrough(reason));
    }
    let mut plan = Plan::default();
    let mut front = compile(invocation, settings, facts, &mut plan.notes)?;
    if reads_source(invocation) {
        front.extend(include(facts.include.as_deref()));
    }
    if !front.is_empty() {
        // Driver words that this command may not need (an input may be assembly) must not make it warn.
        plan.front = words(["--start-no-unused-arguments"]);
        plan.front.append(&mut front);
        plan.front.extend(words(["--end-no-unused-arguments"]));
    }
    link(invocation, facts, &mut plan)?;
    if plan.front.is_empty() && plan.back.is_empty() {
        let reason = plan.notes.into_iter().next().unwrap_or(Reason::NothingToDo);
        return Ok(Decision::PassThrough(reason));
    }
    Ok(Decision::Add(plan))
}

fn out_of_question(invocation: &Invocation, settings: &Settings, facts: &Facts) -> Option<Reason> {
    if settings.disabled {
        Some(Reason::Disabled)
    } else if let Some(flag) = &invocation.question {
        Some(Reason::Question(flag.clone()))
    } else if let Some(target) = &invocation.foreign_target {
        Some(Reason::ForeignTarget(target.clone()))
    } else if invocation.inputs.is_empty() {
        Some(Reason::NoInputs)
    } else if let Some(file) = &facts.missing_input {
        Some(Reason::MissingInput(file.clone()))
    } else if invocation.inputs.contains(&Content::Foreign) {
        Some(Reason::ForeignLanguage)
    } else {
        None
    }
}

fn reads_source(invocation: &Invocation) -> bool {
    invocation.inputs.iter().any(|input| matches!(input, Content::Source | Content::Header))
}

/// The words that load the plugin, or a note why not.
fn compile(
    invocation: &Invocation,
    settings: &Settings,
    facts: &Facts,
    notes: &mut Vec<Reason>,
) -> Result<Vec<OsString>, Error> {
    let inputs = &invocation.inputs;
    let compiled = inputs.iter().any(|input| matches!(input, Content::Source | Content::Ir));
    let refusal = if invocation.stage < Stage::Assembly || inputs.iter().all(|&input| input == Content::Header) {
        Some(Reason::NoCode)
    } else if !compiled {
        if inputs.contains(&Content::Assembler) {
            notes.push(Reason::OnlyAssembly);
        }
        return Ok(Vec::new());
    } else if invocation.emits_llvm {
        Some(Reason::Bitcode)
    } else if invocation.lto {
        Some(Reason::Lto)
    } else {
        invocation.cc1.clone().map(Reason::DivertedCc1)
    };
    if let Some(reason) = refusal {
        notes.push(reason);
        return Ok(Vec::new());
    }
    let plugin = facts.plugin.as_deref().ok_or_else(|| incomplete("libdsu_pass.so", facts))?;
    Ok(plugin::words(plugin, invocation, settings, &facts.directory))
}

/// The directory of `dsu.h`, searched last so that it can hide nobody's header.
fn include(directory: Option<&Path>) -> Vec<OsString> {
    directory.map_or_else(Vec::new, |directory| vec!["-idirafter".into(), directory.into()])
}

/// What must be in every program that has the runtime, and in its dynamic symbol table for dlopened libraries. Named
/// one by one, as gold has no patterns; exporting a name that does not exist is no error for any linker.
const SYMBOLS: [&str; 19] = [
    "__dsu_runtime",
    "__dsu_generation",
    "__dsu_thread_generation",
    "__dsu_thread",
    "__dsu_quiesce",
    "__dsu_quiescence_point",
    "__dsu_idle_begin",
    "__dsu_idle_end",
    "__dsu_loop_enter",
    "__dsu_loop_leave",
    "__dsu_library_idle_begin",
    "__dsu_library_idle_end",
    "dsu_register_stack",
    "dsu_unregister_stack",
    "dsu_shadow_get",
    "dsu_shadow_alloc",
    "dsu_shadow_get_or_alloc",
    "dsu_shadow_free",
    "dsu_shadow_free_all",
];
/// What must be in the dynamic symbol table of programs that have it: patches call the first two, libraries the others.
const WAITS: [&str; 5] = ["__dsu_loop_begin", "__dsu_loop_end", "epoll_wait", "epoll_pwait", "epoll_pwait2"];

/// Adds the words that link the runtime, or a note why not.
fn link(invocation: &Invocation, facts: &Facts, plan: &mut Plan) -> Result<(), Error> {
    let linked = invocation.inputs.iter().any(|&input| input != Content::Header);
    if invocation.stage != Stage::Link || !linked {
        return Ok(());
    }
    let refusal = [
        (invocation.relocatable, Reason::Relocatable),
        (invocation.links_static, Reason::Static),
        (invocation.without_libc, Reason::WithoutLibc),
    ];
    if let Some((_, reason)) = refusal.into_iter().find(|(holds, _)| *holds) {
        // An object made of objects keeps its open references for the link that follows.
        let inert = facts.inert.as_deref().filter(|_| reason != Reason::Relocatable);
        plan.notes.push(reason);
        plan.back.extend(inert.map(archive).unwrap_or_default());
        return Ok(());
    }
    let runtime = facts.runtime.as_deref().ok_or_else(|| incomplete("libdsu.a", facts))?;
    if invocation.strips {
        plan.notes.push(Reason::Stripped);
    }
    if invocation.build_id == BuildId::Refused {
        plan.notes.push(Reason::BuildIdOverridden);
    }
    // In front, the archive comes before every `-lc`, also one typed by hand as libtool does; for its symbols to be
    // taken from there they must be wanted there.
    plan.front.extend(SYMBOLS.map(|symbol| format!("-Wl,-u,{symbol},--export-dynamic-symbol={symbol}").into()));
    plan.front.extend(archive(runtime));
    plan.back.extend(waits(facts)?);
    // At the end, where it has the last word.
    if invocation.build_id != BuildId::Chosen {
        plan.back.extend(words(["-Wl,--build-id=sha1"]));
    }
    Ok(())
}

/// The words that link what interposes the waiting of libraries. Behind the objects, and behind the C library: as that
/// defines `epoll_wait` already, only a reference to `__dsu_loop_begin` takes the object out of the archive.
fn waits(facts: &Facts) -> Result<Vec<OsString>, Error> {
    let waits = facts.waits.as_deref().ok_or_else(|| incomplete("libdsu_waits.a", facts))?;
    let mut words: Vec<OsString> = vec!["-Xlinker".into(), "--library=c".into()];
    words.extend(archive(waits));
    words.extend(WAITS.map(|symbol| format!("-Wl,--export-dynamic-symbol={symbol}").into()));
    Ok(words)
}

/// An archive as a library to search for: `-x LANGUAGE` does not apply to it (it would to a file name), and CMake,
/// which reads the link line of `-v`, does not take it for one of the compiler's own libraries.
fn archive(archive: &Path) -> Vec<OsString> {
    let options = [
        ("--library-path=", archive.parent().unwrap_or(Path::new(".")).as_os_str()),
        ("--library=:", archive.file_name().unwrap_or_default()),
    ];
    let word = |(name, value): (&str, &OsStr)| {
        let mut word = OsString::from(name);
        word.push(value);
        [OsString::from("-Xlinker"), word]
    };
    options.into_iter().flat_map(word).collect()
}

fn incomplete(what: &'static str, facts: &Facts) -> Error {
    Error::Incomplete { what, directory: facts.home.clone() }
}

fn words<const N: usize>(words: [&str; N]) -> Vec<OsString> {
    words.map(OsString::from).to_vec()
}

#[cfg(test)]
mod tests;
