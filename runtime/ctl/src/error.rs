//! Everything that can go wrong, in words: what failed, on what, and the way out.

use std::io;
use std::path::PathBuf;

use dsu_abi::FormatError;
use dsu_abi::wire::{Code, Failure};
use serde_json::Value;

use crate::{exit, foreign};

/// See the module's description. Each variant has its exit code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("no process `{0}`; `dsuctl ps` lists the updatable ones")]
    NoProcess(u32),
    #[error("process `{pid}` (`{command}`) has no runtime; build the program with `dsu-cc`")]
    NoRuntime { pid: u32, command: String },
    #[error("process `{pid}` (`{command}`), or its socket, belongs to user {user}; run dsuctl as that user or as root")]
    ForeignUser { pid: u32, command: String, user: u32 },
    #[error(
        "process `{pid}` (`{command}`) has no socket: {why}; set `DSU_RUNTIME_DIR` to a directory of mode 0700 \
             that its user owns, for the process and for dsuctl, and restart the process"
    )]
    NoSocket { pid: u32, command: String, why: String },
    #[error(
        "process `{pid}` (`{command}`) is stopped or frozen, and nothing was changed; let it go on (SIGCONT, or its control \
         group's `cgroup.freeze`) and try again"
    )]
    Stopped { pid: u32, command: String },
    #[error("process `{pid}` did not answer: {cause}; is it stopped, or ending?")]
    NoAnswer { pid: u32, cause: io::Error },
    #[error("answer of process `{pid}` not understood: {cause}")]
    BadAnswer { pid: u32, cause: FormatError },
    #[error("failed to read `{}`: {cause}", path.display())]
    PatchUnreadable { path: PathBuf, cause: io::Error },
    #[error("{message}")]
    Refused { code: Code, message: String },
    #[error("process `{0}` ended before its last thread had moved")]
    Ended(u32),
    #[error(
        "process `{0}` has neither the patch nor a trace of it: it has started another program (exec) before its last \
         thread had moved; apply a patch for that one"
    )]
    Replaced(u32),
    #[error(
        "process `{0}` has closed the library that the patch is for, and the patch has gone with it; apply it again when \
         the library is loaded"
    )]
    Closed(u32),
    #[error("{message}")]
    Cancelled { message: String, document: Box<Value> },
    #[error("{0}")]
    Interrupted(String),
    #[error("{cause}; {after}")]
    Group { cause: Box<Error>, after: String },
}

impl Error {
    /// The process's exit code for it.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::NoProcess(_) => exit::NO_PROCESS,
            Self::NoRuntime { .. } => exit::NO_RUNTIME,
            Self::ForeignUser { .. } => exit::FOREIGN_USER,
            Self::NoSocket { .. } => exit::NO_SOCKET,
            Self::Stopped { .. } | Self::NoAnswer { .. } | Self::BadAnswer { .. } => exit::NO_ANSWER,
            Self::PatchUnreadable { .. } => exit::PATCH_UNREADABLE,
            Self::Refused { code, .. } => exit::of(*code),
            Self::Ended(_) | Self::Replaced(_) => exit::NO_PROCESS,
            Self::Closed(_) => exit::WRONG_BUILD_ID,
            Self::Cancelled { .. } => exit::CANCELLED,
            Self::Interrupted(_) => exit::INTERRUPTED,
            Self::Group { cause, .. } => cause.exit_code(),
        }
    }

    /// What programs want to know of it, if more than the code.
    pub(crate) fn document(&self) -> Option<&Value> {
        match self {
            Self::Cancelled { document, .. } => Some(document),
            Self::Group { cause, .. } => cause.document(),
            _ => None,
        }
    }

    /// The runtime's refusal, about process `pid` and, when applying, the patch `patch`.
    pub(crate) fn refused(pid: u32, patch: &str, failure: &Failure<'_>) -> Self {
        let code = failure.code;
        let (subject, detail) = (foreign::text(failure.subject), foreign::text(failure.detail));
        let because = if detail.is_empty() { String::new() } else { format!(": {detail}") };
        let system = match failure.errno {
            0 => String::new(),
            number => format!(" ({})", io::Error::from_raw_os_error(number)),
        };
        let message = match code {
            Code::BadRequest => {
                format!("process `{pid}` did not understand the request{because}; use its build's dsuctl")
            }
            Code::NotPermitted => format!(
                "process `{pid}` refused: you may not attach a debugger to it (another user or group, more capabilities, not \
                 dumpable, or kernel.yama.ptrace_scope); run dsuctl as root"
            ),
            Code::PatchUnreadable => format!("process `{pid}` failed to read patch `{patch}`{system}"),
            Code::PatchDamaged | Code::WrongMachine | Code::UnknownVersion => format!("patch `{patch}`{because}"),
            Code::WrongBuildId if detail.is_empty() => format!(
                "patch `{patch}` is for build `{subject}`, which is not loaded in process `{pid}`; `dsuctl status {pid}` \
                 shows what is: make the patch from that build"
            ),
            Code::WrongBuildId => format!("patch `{patch}` is for build `{subject}`{because}; try again"),
            Code::FunctionMismatch => format!(
                "function `{subject}` is not in process `{pid}` as patch `{patch}` describes it{because}; make the \
                 patch from the very build that runs"
            ),
            Code::Unresolved => format!(
                "patch `{patch}` could not be loaded: {subject}; make it against the libraries the process runs with"
            ),
            Code::TextNotWritable => format!(
                "text of process `{pid}` may not be written{system}: its host forbids it (MDWE, SELinux, seccomp); \
                 rebuild the program with `--dsu-dispatch=always`"
            ),
            Code::NoBarrier => format!(
                "kernel lacks `{subject}` (Linux 4.16) for process `{pid}`, or forbids it; rebuild the program with \
                 `--dsu-dispatch=always`"
            ),
            Code::NothingApplied => format!("no patch is applied to process `{pid}`; there is nothing to revert"),
            Code::OutOfResources => format!("process `{pid}` met a limit: {subject}{detail}{system}; try again later"),
            Code::ForkedInUpdate => {
                format!("process `{pid}` was forked while its parent was loading a patch and takes no more; restart it")
            }
            Code::NoProc => format!(
                "process `{pid}` cannot load patch `{patch}`: it does not see /proc; mount it inside its root directory"
            ),
            Code::BadReference => format!("patch `{patch}`: reference to `{subject}` cannot be made{because}"),
            Code::TransitionInProgress => format!(
                "process `{pid}` is still moving threads to another update; wait for it (`dsuctl status {pid} --watch`), \
                 revert it, or apply with `--queue`"
            ),
            Code::NoTrampoline => format!(
                "patch `{patch}` has no original-code trampoline of `{subject}`{because}; apply it with \
                 `--consistency newest`"
            ),
            Code::Vetoed => format!("patch `{patch}` refuses: its hook `{subject}` said no{because}"),
            Code::PersistentDiffers => format!(
                "patch `{patch}` adds variable `{subject}`, of which process `{pid}` has another one from an earlier \
                 patch{because}; revert that patch to the base first"
            ),
            Code::NoPoints => format!(
                "process `{pid}` has no quiescence points, where its threads could move to patch `{patch}`; apply it \
                 with `--consistency newest`, or build the program with points (`dsu-cc --dsu-help`)"
            ),
        };
        Self::Refused { code, message }
    }
}
