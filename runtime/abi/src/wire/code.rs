//! Why a request is refused.

use super::field::{Field, Fill};
use crate::cursor::{Cursor, FormatError, Result};

/// Why the runtime (or `dsuctl` in its place) refused. The numbers are part of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Code {
    /// The request was not understood.
    BadRequest = 1,
    /// The peer is neither root nor the process's user.
    NotPermitted = 2,
    /// The patch file could not be read.
    PatchUnreadable = 3,
    /// The patch file is damaged: cut short, checksum wrong, tables inconsistent. Subject: what.
    PatchDamaged = 4,
    /// The patch is for another machine.
    WrongMachine = 5,
    /// The patch has a format this runtime does not know.
    UnknownVersion = 6,
    /// No loaded module has the build-id the patch is for.
    WrongBuildId = 7,
    /// A function of the patch is not in the base as described. Subject: its name; detail: what differs.
    FunctionMismatch = 8,
    /// The dynamic linker could not load the patch. Subject: its message.
    Unresolved = 9,
    /// The program's text may not be written.
    TextNotWritable = 10,
    /// The kernel cannot make all cores see new code.
    NoBarrier = 11,
    /// No patch is applied.
    NothingApplied = 12,
    /// A limit of the runtime or the system. Subject: which.
    OutOfResources = 13,
    /// The process was forked while its parent was loading a patch; its dynamic linker may be locked for ever.
    ForkedInUpdate = 14,
    /// A reference of the patch to the base cannot be made. Subject: the symbol; detail: why.
    BadReference = 15,
    /// The process does not see `/proc`, through which a patch is handed to its dynamic linker.
    NoProc = 16,
    /// An update is still moving threads; revert it, or ask to be queued.
    TransitionInProgress = 17,
    /// Consistency `thread` needs an original-code trampoline or a dispatch stub that the patch does not have. Subject: the function.
    NoTrampoline = 18,
    /// The patch's own hook said no. Subject: the hook.
    Vetoed = 19,
    /// A variable that an earlier patch added is another one in this patch. Subject: its name.
    PersistentDiffers = 20,
    /// Consistency `thread` needs quiescence points, and no module of the process has any.
    NoPoints = 21,
}

impl Code {
    /// All codes.
    pub const ALL: [Self; 21] = [
        Self::BadRequest,
        Self::NotPermitted,
        Self::PatchUnreadable,
        Self::PatchDamaged,
        Self::WrongMachine,
        Self::UnknownVersion,
        Self::WrongBuildId,
        Self::FunctionMismatch,
        Self::Unresolved,
        Self::TextNotWritable,
        Self::NoBarrier,
        Self::NothingApplied,
        Self::OutOfResources,
        Self::ForkedInUpdate,
        Self::BadReference,
        Self::NoProc,
        Self::TransitionInProgress,
        Self::NoTrampoline,
        Self::Vetoed,
        Self::PersistentDiffers,
        Self::NoPoints,
    ];

    pub(super) fn from_number(number: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|&code| code as u16 == number)
    }
}

impl Field<'_> for Code {
    fn put(&self, to: &mut Fill<'_>) {
        to.word(u32::from(*self as u16));
    }

    fn get(from: &mut Cursor<'_>) -> Result<Self> {
        let code = u16::try_from(from.u32()?).ok().and_then(Self::from_number);
        code.ok_or(FormatError("message has an unknown error code"))
    }
}
