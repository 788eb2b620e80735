//! What a flag can mean to the plan, and where its value can stand.

/// Where a flag's value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// No value: the whole word must match.
    Nothing,
    /// The value is the rest of the word.
    Rest,
    /// The value is the next word.
    Next,
    /// The rest of the word, or the next word if there is no rest.
    RestOrNext,
}

/// How far clang goes with its inputs; the earliest stage asked for wins, wherever it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Preprocessed text or dependencies.
    Preprocess,
    /// Checks, listings, trees: nothing that is assembled.
    Check,
    /// A precompiled header or module.
    Precompile,
    /// Assembly text.
    Assembly,
    /// Object files.
    Object,
    /// A static library of the objects.
    Archive,
    /// An executable or a shared object.
    Link,
}

/// What an argument means to the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    /// An input file, or `-` for standard input.
    Input,
    /// Nothing that matters here.
    Other,
    /// A flag that shapes the generated code, recorded with the unit.
    Code,
    /// Stop after this stage.
    Stop(Stage),
    /// Clang only answers a question and compiles nothing.
    Question,
    /// `-x`: language of the inputs that follow.
    Language,
    /// Name of the output.
    Output,
    /// `-g…`
    Debug,
    /// Bitcode instead of machine code.
    EmitLlvm,
    /// Optimisation at link time, on.
    Lto,
    /// Optimisation at link time, off.
    NoLto,
    /// An argument for cc1 itself.
    Cc1,
    /// Another machine or system than x86-64 Linux, unless the value says it is just that.
    Target,
    /// A mode for 16 or 32 bits, or with short pointers.
    Narrow,
    /// Another personality of the driver.
    DriverMode,
    /// `-l`
    Library,
    /// One word for the linker.
    LinkerWord,
    /// Words for the linker, separated by commas.
    LinkerList,
    /// A fully static program.
    Static,
    /// A relocatable object out of objects.
    Relocatable,
    /// A link without the C library.
    NoLibc,
    /// Symbols and debug information are removed from the output.
    Strip,
    /// Everything after it is an input.
    EndOfFlags,
}

/// An entry of the flag table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flag {
    /// The flag, with its dashes (and its `=` where the value follows one).
    pub(crate) name: &'static str,
    /// Where its value stands.
    pub(crate) takes: Takes,
    /// What it means.
    pub(crate) means: Means,
}
