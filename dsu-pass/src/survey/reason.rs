use std::fmt;

/// Why a function is left alone. `Display` is the sentence that is logged and stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// `__attribute__((naked))`.
    Naked,
    /// It chooses the body of an ifunc.
    IfuncResolver,
    /// `inline` whose definition is another unit's.
    AvailableExternally,
    /// Something else put data before the entry.
    PrefixData,
    /// Something else put data at the entry.
    PrologueData,
    /// `-fsanitize=function` looks for a signature right before the entry.
    FunctionSanitizer,
    /// `-fsanitize=kcfi` looks for a type id right before the entry.
    Kcfi,
    /// `-fpatchable-function-entry`.
    PatchableEntry,
    /// `-fxray-instrument`.
    XRay,
    /// `__attribute__((vectorcall))`.
    VectorCall,
    /// `-pg -mfentry`.
    Fentry,
    /// `__attribute__((annotate("dsu::never")))`.
    Annotated,
    /// A line of the list file, by function or source name.
    Listed {
        /// The list.
        list: String,
        /// Line in it.
        line: u32,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Naked => "it is naked: its entry is the author's own code",
            Self::IfuncResolver => "it is an ifunc resolver: it runs before the program is relocated",
            Self::AvailableExternally => "its definition is another unit's: nothing is emitted for it here",
            Self::PrefixData => "it has data of its own before its entry (a language runtime's)",
            Self::PrologueData => "it has data of its own at its entry (a language runtime's)",
            Self::FunctionSanitizer => "its callers check a signature right before its entry (-fsanitize=function)",
            Self::Kcfi => "its callers check a type id right before its entry (-fsanitize=kcfi)",
            Self::PatchableEntry => "its entry is already patched by others (-fpatchable-function-entry)",
            Self::XRay => "its entry is already patched by XRay (-fxray-instrument)",
            Self::VectorCall => "its calling convention, vectorcall, gives it another name in the assembler",
            Self::Fentry => "its entry is already patched by a tracer (-mfentry)",
            Self::Annotated => "its source says `dsu::never`",
            Self::Listed { list, line } => return write!(f, "it is listed in `{list}`:{line}"),
        })
    }
}

/// Why a whole unit is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitReason {
    /// Bitcode for a link-time optimiser.
    LinkTimeOptimisation,
    /// Bitcode that the plugin has been over.
    AlreadyInstrumented,
    /// Not x86-64 ELF.
    Target(String),
    /// `-mcmodel=large`.
    CodeModel,
}

impl fmt::Display for UnitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LinkTimeOptimisation => {
                f.write_str("it goes to a link-time optimiser, which would inline across stubs; compile with -fno-lto")
            }
            Self::AlreadyInstrumented => f.write_str("it is bitcode that has its stubs already"),
            Self::Target(triple) => write!(f, "its target is `{triple}`; only 64-bit x86 ELF has stubs yet"),
            Self::CodeModel => f.write_str("with -mcmodel=large a stub cannot reach its slot"),
        }
    }
}
