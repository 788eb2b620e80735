//! Why patchgen does not produce a patch: one enum for what must not be patched and for input that cannot be
//! used, each with its kebab-case id, its exit code and help.

use serde::Serialize;

use crate::exit;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $exit:expr, $way:literal;)*) => {
        /// A reason to refuse or to fail.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            /// Every reason there is.
            pub const ALL: &'static [Reason] = &[$(Reason::$name),*];

            /// Its kebab-case id, stable across versions.
            pub fn id(self) -> &'static str {
                match self { $(Reason::$name => $id,)* }
            }

            /// Exit code when it is the first reason: refused or failed.
            pub fn exit(self) -> u8 {
                match self { $(Reason::$name => $exit,)* }
            }

            /// What to do about it.
            pub fn help(self) -> &'static str {
                match self { $(Reason::$name => $way,)* }
            }
        }
    };
}

reasons! {
    /// The file is not there or cannot be read.
    Unreadable = "unreadable", exit::FAILED, "check the path and its permissions";
    /// A directory where a file is wanted.
    IsDirectory = "is-directory", exit::FAILED, "name the executable or library inside it";
    /// Cut short or damaged.
    Damaged = "damaged", exit::FAILED, "copy or build the file again";
    /// A `.dsubase` of another format version.
    UnknownVersion = "unknown-version", exit::FAILED, "lift the base out of the build again with this patchgen";
    /// Neither ELF nor `.dsubase`.
    NotABuild = "not-a-build", exit::FAILED, "give an executable or library built with dsu-cc, or its .dsubase";
    /// An output file could not be written.
    Unwritable = "unwritable", exit::FAILED, "check the directory, its permissions and the free space; nothing was left behind";
    /// A tool of LLVM's is missing or failed.
    ToolFailed = "tool-failed", exit::FAILED, "install clang-19, llvm-19 and lld-19 and try again; if they are there, report this";
    /// A git repository that has not what was asked for.
    Repository = "repository", exit::FAILED, "check the revisions, the diff, and that git is installed";
    /// A revision that does not build.
    BuildFailed = "build-failed", exit::FAILED, "build it by hand in the folder beside that log; CC is dsu-cc there";
    /// An internal consistency check failed.
    Internal = "internal", exit::FAILED, "please report this with both builds";

    /// Built without the plugin.
    NotInstrumented = "not-instrumented", exit::REFUSED, "build it with CC=dsu-cc";
    /// An object file with LTO bitcode.
    LtoObject = "lto-object", exit::REFUSED, "build without -flto and give the linked executable or library";
    /// An object file or archive.
    NotLinked = "not-linked", exit::REFUSED, "give the linked executable or library";
    /// Linked with `-static` or `-static-pie`.
    StaticExecutable = "static-executable", exit::REFUSED, "link without -static: a patch is loaded by the dynamic linker";
    /// For a machine that is not supported.
    UnsupportedMachine = "unsupported-machine", exit::REFUSED, "only x86-64 ELF is supported";
    /// Base and new build are for different machines.
    DifferentMachine = "different-machine", exit::REFUSED, "build both for the same machine";
    /// No GNU build-id.
    NoBuildId = "no-build-id", exit::REFUSED, "link with -Wl,--build-id=sha1 (dsu-cc does)";
    /// Bitcode that this LLVM cannot read.
    ForeignBitcode = "foreign-bitcode", exit::REFUSED, "build with the clang this patchgen was made for (19)";
    /// The text of the base is not what its record says.
    BaseCorrupt = "base-corrupt", exit::REFUSED, "take the base from the very build that runs, before any other tool rewrites it";
    /// Compiler or flags differ.
    DifferentFlags = "different-flags", exit::REFUSED, "build both with the same compiler and flags";
    /// The build to become is the one that runs.
    Swapped = "swapped-builds", exit::REFUSED, "give the running build first, then the build to become";
    /// The base is not the one that runs.
    OtherBase = "other-base", exit::REFUSED, "take the base from the very build that runs";
    /// The two builds have nothing in common.
    OtherProgram = "other-program", exit::REFUSED, "give two builds of the same executable or library";
    /// A hooks file that does not compile, or defines what it must not.
    BadHooks = "bad-hooks", exit::REFUSED, "see the head of dsu.h for what a hooks file may hold";
    /// `--accept` of something that is no problem, or not one that can be overridden.
    NothingToAccept = "nothing-to-accept", exit::FAILED, "take names from the refusals that `patchgen diff` shows";
    /// A patch that these two builds do not give.
    OtherPatch = "other-patch", exit::FAILED, "give the builds, and the hooks file, that it was made from";
    /// Two units cannot be told apart.
    AmbiguousUnit = "ambiguous-unit", exit::REFUSED, "compile each source once per program";
    /// Units of both builds that may be one.
    UnpairedUnit = "unpaired-unit", exit::REFUSED, "give the source file the name and folder it had, or restart";
    /// `-mcmodel=large` or `kernel`.
    CodeModel = "code-model", exit::REFUSED, "build with -mcmodel=small or medium";
    /// Code differs that no record of dsu-cc accounts for.
    UnexplainedCode = "unexplained-code", exit::REFUSED, "restart with the new build, compile what it is about with dsu-cc, or say why it does no harm with `--accept NAME --because WHY`";
    /// Data differ that no record of dsu-cc accounts for.
    UnexplainedData = "unexplained-data", exit::REFUSED, "restart with the new build, or say why it does no harm with `--accept NAME --because WHY`";
    /// Assembly at file level changed.
    FileAsm = "file-asm-changed", exit::REFUSED, "restart with the new build, or move the change into a function";

    /// A variable that exists would have another value, size, type, or constness.
    DataChanged = "data-changed", exit::REFUSED, "keep the variable as it was and add a new one; if only its initial value changed, set it in a hook (`--hooks`, `dsu_transform_NAME`) or keep the value it has (`--accept`); where `--accept` says so, let new code start with one of its own; or restart";
    /// A section that code walks through, or that other tools read, got another entry.
    SectionChanged = "section-changed", exit::REFUSED, "keep the entries of the section as they were, or restart";
    /// The old build optimised a variable away, and its state with it.
    DissolvedState = "dissolved-state", exit::REFUSED, "use a new variable, reinitialise it with `--accept NAME --because WHY`, or restart";
    /// New code takes the first value of a variable for the one that the process has.
    FoldedState = "folded-state", exit::REFUSED, "keep a write of the variable that the compiler cannot see through, override the refusal if new code may go on with its first value (`--accept NAME --because WHY`), or restart";
    /// Blocks or lambdas that cannot be matched with the old ones.
    UnpairedFunction = "unpaired-function", exit::REFUSED, "change one of them at a time, make named functions of them, or restart";
    /// A new variable that may be an old one.
    UnpairedVariable = "unpaired-variable", exit::REFUSED, "give it the name and place it had, reinitialise it (`--accept NAME --because WHY`), or restart";
    /// A static local that cannot be matched with its old storage.
    AmbiguousStatic = "ambiguous-static", exit::REFUSED, "give the static variables of the function different names";
    /// A new thread-local variable.
    NewTls = "new-tls", exit::REFUSED, "use an existing thread-local variable or a plain one, or restart";
    /// New or changed constructors or destructors.
    ConstructorsChanged = "constructor", exit::REFUSED, "run the new code from a function that is called later, do without a destructor (`--accept NAME --because WHY`), or restart";
    /// A changed or new alias or ifunc.
    AliasChanged = "alias-changed", exit::REFUSED, "keep the alias as it was";
    /// A new ifunc.
    NewIfunc = "new-ifunc", exit::REFUSED, "choose the implementation in a function instead";
    /// Somebody holds the address of a function whose signature changed.
    AddressTaken = "signature-escapes", exit::REFUSED, "add a function of another name instead";
    /// Other modules may call a library's function whose signature changed.
    ExportedSignature = "signature-exported", exit::REFUSED, "add a function of another name instead";
    /// A changed function that has no stub.
    Skipped = "not-updatable", exit::REFUSED, "remove the annotation or list entry that keeps it from being instrumented, and restart once";
    /// A function whose code is needed is not in the base.
    FunctionMissing = "function-missing", exit::REFUSED, "make sure that base and new build are the same program";
    /// Threads cannot switch a function one by one, which the patch needs.
    NotByThread = "not-by-thread", exit::REFUSED, "build with --consistency newest, so that functions switch one after the other, or restart";
    /// Live data has another layout.
    LayoutChanged = "layout-changed", exit::REFUSED, "keep the layout (append nothing, move nothing) and put new fields into shadow variables (dsu.h), override the refusal with `--accept NAME --because WHY`, or restart";
    /// Something position-dependent would have to reach into the base.
    RelativeReference = "relative-reference", exit::REFUSED, "build with -fPIC or -fPIE and without the construct named";
    /// A symbol that nobody provides.
    Unresolved = "unresolved-symbol", exit::REFUSED, "call only functions of the program and of the libraries it already loads";
    /// A name that may have been linked with `--wrap`, or not.
    Wrapped = "wrapped-symbol", exit::REFUSED, "call a function of another name, or restart";
    /// A library of the base is not on this machine.
    LibraryMissing = "library-missing", exit::REFUSED, "run patchgen where the libraries of the base are installed";
    /// A relocation the runtime does not do.
    Relocation = "unsupported-relocation", exit::REFUSED, "please report the construct named";
}

impl Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

/// What else a problem is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelatedKind {
    /// A type's size, in bytes.
    Size,
    /// A member of a type, or a value of an enumeration: where it was and where it would be.
    Member,
    /// A variable that holds or leads to the thing.
    Variable,
    /// A function that touches it.
    Function,
}

/// A thing that a problem names besides its subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Related {
    /// What it is.
    pub kind: RelatedKind,
    /// Its name.
    pub name: String,
    /// How it is in the base; none for what is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// How it would be; none for what would be gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// Source file, when known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

impl Related {
    /// A thing with its place.
    pub fn at(kind: RelatedKind, name: impl Into<String>, place: Option<crate::ir::debug::Place>) -> Self {
        let place = place.filter(|p| !p.file.is_empty());
        let line = place.as_ref().map(|p| p.line).filter(|l| *l != 0);
        Self { kind, name: name.into(), old: None, new: None, file: place.map(|p| p.file), line }
    }

    /// Something that was one way and would be another.
    pub fn changed(kind: RelatedKind, name: impl Into<String>, old: Option<String>, new: Option<String>) -> Self {
        Self { kind, name: name.into(), old, new, file: None, line: None }
    }
}

/// One reason, said about one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Its kind.
    pub reason: Reason,
    /// The function, variable, type or file it is about.
    pub subject: String,
    /// What is wrong with it: a lowercase fragment.
    pub message: String,
    /// Source file, when known.
    pub file: Option<String>,
    /// Line in it.
    pub line: Option<u32>,
    /// What to do.
    #[serde(rename = "way_out")]
    pub help: &'static str,
    /// Members, variables and functions it is about.
    #[serde(skip_serializing_if = "is_empty")]
    pub related: Box<[Related]>,
    /// Whether it can be overridden.
    #[serde(skip)]
    pub(crate) overridable: Overridable,
}

/// What comes of it when it is overridden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Overridable {
    /// It cannot be.
    #[default]
    Never,
    /// Things stay as they are.
    Kept,
    /// The variable becomes another one, with its initial value.
    Reinitialised,
}

#[expect(clippy::borrowed_box, reason = "serde hands over the field as it is")]
fn is_empty(related: &Box<[Related]>) -> bool {
    related.is_empty()
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`: {}", self.subject, self.message)?;
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, " ({file}:{line})")?,
            (Some(file), None) => write!(f, " ({file})")?,
            _ => {}
        }
        write!(f, "; {} [{}]", self.help, self.reason.id())
    }
}

impl std::error::Error for Problem {}

impl Problem {
    /// A problem without a place in the source.
    pub fn new(reason: Reason, subject: impl Into<String>, message: impl Into<String>) -> Self {
        let help = reason.help();
        Self {
            reason,
            subject: subject.into(),
            message: message.into(),
            file: None,
            line: None,
            help,
            related: Box::default(),
            overridable: Overridable::Never,
        }
    }

    /// The same with what else it is about.
    pub fn about(self, related: Vec<Related>) -> Self {
        Self { related: related.into(), ..self }
    }

    /// The same, open to an override: running code would be sound if its reason is true.
    pub fn overridable(self) -> Self {
        Self { overridable: Overridable::Kept, ..self }
    }

    /// The same, open to an override that reinitialises the variable.
    pub fn overridable_by_reinitialising(self) -> Self {
        Self { overridable: Overridable::Reinitialised, ..self }
    }

    /// Can it be overridden?
    pub fn is_overridable(&self) -> bool {
        self.overridable != Overridable::Never
    }

    /// Does an override keep what is in the process now?
    pub fn is_kept(&self) -> bool {
        self.overridable == Overridable::Kept
    }

    /// The same with its place.
    pub fn at(mut self, place: Option<crate::ir::debug::Place>) -> Self {
        if let Some(place) = place.filter(|p| !p.file.is_empty()) {
            self.file = Some(place.file);
            self.line = (place.line != 0).then_some(place.line);
        }
        self
    }
}

/// Result of a step that may refuse or fail.
pub type Result<T> = std::result::Result<T, Problem>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_kebab_case() {
        let mut ids: Vec<_> = Reason::ALL.iter().map(|r| r.id()).collect();
        assert!(ids.iter().all(|id| id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), Reason::ALL.len());
    }

    #[test]
    fn a_problem_is_one_line_with_its_way_out() {
        let text = Problem::new(Reason::NewTls, "tl", "would be new").to_string();
        assert!(text.starts_with("`tl`: would be new; ") && text.ends_with("[new-tls]") && !text.contains('\n'));
    }
}
