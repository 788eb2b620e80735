//! Exit codes: one for each thing that can be wrong, so that scripts need not read messages.

use dsu_abi::wire::Code;

/// Done.
pub(crate) const DONE: u8 = 0;
/// Failed for a reason that has no number of its own.
pub(crate) const FAILED: u8 = 1;
/// The command line was not understood (clap's number).
pub(crate) const USAGE: u8 = 2;
/// `revert`: no patch is applied.
pub(crate) const NOTHING_APPLIED: u8 = 3;
/// There is no such process.
pub(crate) const NO_PROCESS: u8 = 10;
/// The process has no runtime: it was not built with `dsu-cc`.
pub(crate) const NO_RUNTIME: u8 = 11;
/// The process belongs to another user.
pub(crate) const FOREIGN_USER: u8 = 12;
/// The process could not make its socket: no directory it may write to.
pub(crate) const NO_SOCKET: u8 = 13;
/// The process does not answer, or not in this version's words.
pub(crate) const NO_ANSWER: u8 = 14;
/// The patch file cannot be read.
pub(crate) const PATCH_UNREADABLE: u8 = 20;
/// The patch file is cut short, altered, or no patch at all.
pub(crate) const PATCH_DAMAGED: u8 = 21;
/// The patch is for another machine.
pub(crate) const WRONG_MACHINE: u8 = 22;
/// The patch has a format of another version.
pub(crate) const UNKNOWN_VERSION: u8 = 23;
/// The patch is for another build.
pub(crate) const WRONG_BUILD_ID: u8 = 24;
/// A function of the patch is not in the process as the patch describes it.
pub(crate) const FUNCTION_MISMATCH: u8 = 25;
/// The patch needs a symbol that the process's libraries do not have.
pub(crate) const UNRESOLVED: u8 = 26;
/// The process's text may not be written; `--dsu-dispatch=always` does without.
pub(crate) const TEXT_NOT_WRITABLE: u8 = 27;
/// The kernel lacks what updating text needs.
pub(crate) const NO_BARRIER: u8 = 28;
/// A limit of the process or the system was met.
pub(crate) const OUT_OF_RESOURCES: u8 = 30;
/// The process was forked in the middle of an update.
pub(crate) const FORKED_IN_UPDATE: u8 = 31;
/// A reference of the patch to the base cannot be made.
pub(crate) const BAD_REFERENCE: u8 = 32;
/// The process does not see `/proc`: it is in a chroot without.
pub(crate) const NO_PROC: u8 = 33;
/// Another update is still moving threads.
pub(crate) const TRANSITION_IN_PROGRESS: u8 = 34;
/// Consistency `thread` needs an original-code trampoline that the patch does not have.
pub(crate) const NO_TRAMPOLINE: u8 = 35;
/// The patch's own hook said no.
pub(crate) const VETOED: u8 = 36;
/// A variable that an earlier patch added is another one in this patch.
pub(crate) const CARRIED_DIFFERS: u8 = 37;
/// The process has no quiescence points, which consistency `thread` needs.
pub(crate) const NO_POINTS: u8 = 38;
/// The update is not in effect: its timeout, or a revert, cancelled it.
pub(crate) const CANCELLED: u8 = 40;
/// Ctrl-C ended the wait; the update goes on (128 + SIGINT, as shells have it).
pub(crate) const INTERRUPTED: u8 = 130;

/// Every code with the sentence the manual gives it.
pub(crate) const TABLE: [(u8, &str); 29] = [
    (DONE, "done"),
    (FAILED, "failed for a reason without a number of its own"),
    (USAGE, "command line not understood"),
    (NOTHING_APPLIED, "revert: no patch is applied"),
    (NO_PROCESS, "no such process"),
    (NO_RUNTIME, "the process has no runtime"),
    (FOREIGN_USER, "the process belongs to another user"),
    (NO_SOCKET, "the process found no directory for its socket"),
    (NO_ANSWER, "the process does not answer"),
    (PATCH_UNREADABLE, "patch file cannot be read"),
    (PATCH_DAMAGED, "patch file is cut short, altered, or no patch"),
    (WRONG_MACHINE, "patch is for another machine"),
    (UNKNOWN_VERSION, "patch has an unknown format version"),
    (WRONG_BUILD_ID, "patch is for another build"),
    (FUNCTION_MISMATCH, "a function is not in the process as the patch describes it"),
    (UNRESOLVED, "the patch needs a symbol the process does not have"),
    (TEXT_NOT_WRITABLE, "the process's text may not be written"),
    (NO_BARRIER, "the kernel lacks membarrier"),
    (OUT_OF_RESOURCES, "a limit was met"),
    (FORKED_IN_UPDATE, "the process was forked in the middle of an update"),
    (BAD_REFERENCE, "a reference of the patch to the base cannot be made"),
    (NO_PROC, "the process does not see /proc"),
    (TRANSITION_IN_PROGRESS, "another update is still moving threads"),
    (NO_TRAMPOLINE, "consistency `thread` needs an original-code trampoline that the patch does not have"),
    (VETOED, "the patch's own hook said no"),
    (CARRIED_DIFFERS, "a variable that an earlier patch added is another one in this patch"),
    (NO_POINTS, "consistency `thread` needs quiescence points, and the process has none"),
    (CANCELLED, "the update is not in effect: its timeout, or a revert, cancelled it"),
    (INTERRUPTED, "Ctrl-C ended the wait; the update goes on"),
];

/// The exit code for a refusal of the runtime.
pub(crate) fn of(code: Code) -> u8 {
    match code {
        Code::BadRequest => NO_ANSWER,
        Code::NotPermitted => FOREIGN_USER,
        Code::PatchUnreadable => PATCH_UNREADABLE,
        Code::PatchDamaged => PATCH_DAMAGED,
        Code::WrongMachine => WRONG_MACHINE,
        Code::UnknownVersion => UNKNOWN_VERSION,
        Code::WrongBuildId => WRONG_BUILD_ID,
        Code::FunctionMismatch => FUNCTION_MISMATCH,
        Code::Unresolved => UNRESOLVED,
        Code::TextNotWritable => TEXT_NOT_WRITABLE,
        Code::NoBarrier => NO_BARRIER,
        Code::NothingApplied => NOTHING_APPLIED,
        Code::OutOfResources => OUT_OF_RESOURCES,
        Code::ForkedInUpdate => FORKED_IN_UPDATE,
        Code::BadReference => BAD_REFERENCE,
        Code::NoProc => NO_PROC,
        Code::TransitionInProgress => TRANSITION_IN_PROGRESS,
        Code::NoTrampoline => NO_TRAMPOLINE,
        Code::Vetoed => VETOED,
        Code::PersistentDiffers => CARRIED_DIFFERS,
        Code::NoPoints => NO_POINTS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_each_refusal_has_one() {
        let mut numbers: Vec<u8> = TABLE.iter().map(|(number, _)| *number).collect();
        numbers.dedup();
        assert_eq!(numbers.len(), TABLE.len());
        let mut refusals: Vec<u8> = Code::ALL.map(of).to_vec();
        assert!(refusals.iter().all(|number| numbers.contains(number)));
        refusals.sort_unstable();
        refusals.dedup();
        assert_eq!(refusals.len(), Code::ALL.len(), "two refusals share a number");
    }
}
