//! A whole patch file: what can be checked of it without a process. The runtime and `dsuctl` both come through
//! here, so that they accept and refuse the same files for the same reasons.

use crate::control;
use crate::cursor::{FormatError, slice};
use crate::elf::{self, Elf, PF_W, PF_X};
use crate::patch::{self, CHECKSUM_OFFSET, Hooks, Patch};
use crate::wire::Code;

/// No patch file is larger.
pub const SIZE_MAX: u64 = 256 << 20;

/// Why a patch file is refused, and the words for it.
pub type Refusal = (Code, FormatError);

/// A patch file whose headers and tables are in order. The checksum is still to be compared.
#[derive(Debug, Clone, Copy)]
pub struct PatchFile<'a> {
    /// The tables.
    pub patch: Patch<'a>,
    /// The object around them.
    pub elf: Elf<'a>,
    parts: [&'a [u8]; 3],
}

/// Reads a patch file.
///
/// # Errors
/// `PatchDamaged`, `WrongMachine` or `UnknownVersion`.
pub fn open(file: &[u8]) -> Result<PatchFile<'_>, Refusal> {
    let damaged = |error| (Code::PatchDamaged, error);
    let elf = elf::parse(file).map_err(damaged)?;
    if elf.machine != elf::MACHINE_X86_64 {
        return Err((Code::WrongMachine, FormatError("made for another machine; build it for x86-64")));
    }
    let section = elf.section(patch::SECTION).map_err(damaged)?;
    let section = section.ok_or(damaged(FormatError("has no section `.dsu.patch`; make it with `patchgen build`")))?;
    let version = section.bytes.get(8..12).and_then(|v| v.first_chunk::<4>()).map(|v| u32::from_le_bytes(*v));
    if section.bytes.starts_with(patch::MAGIC) && version.is_some_and(|v| v != patch::VERSION) {
        return Err((
            Code::UnknownVersion,
            FormatError("unknown format version; use a dsuctl and runtime as new as it"),
        ));
    }
    let patch = patch::parse(section.bytes).map_err(damaged)?;
    if patch.machine != elf.machine {
        return Err((Code::WrongMachine, FormatError("made for a base of another machine; build it for x86-64")));
    }
    let parts = parts(file, section.offset).map_err(damaged)?;
    Ok(PatchFile { patch, elf, parts })
}

/// The file around the checksum, with zeros in its place.
fn parts(file: &[u8], section: u64) -> Result<[&[u8]; 3], FormatError> {
    const WHAT: &str = "patch table is cut short";
    let at = section.checked_add(CHECKSUM_OFFSET).ok_or(FormatError(WHAT))?;
    let after = at.checked_add(32).ok_or(FormatError(WHAT))?;
    let rest = (file.len() as u64).checked_sub(after).ok_or(FormatError(WHAT))?;
    Ok([slice(file, 0, at, WHAT)?, &[0; 32], slice(file, after, rest, WHAT)?])
}

impl<'a> PatchFile<'a> {
    /// What the SHA-256 in the header is taken over, in order.
    pub fn hashed_parts(&self) -> [&'a [u8]; 3] {
        self.parts
    }

    /// Checks every entry of the tables against the object's own segments.
    ///
    /// # Errors
    /// `PatchDamaged`, with what is wrong.
    pub fn check_tables(&self) -> Result<(), Refusal> {
        let damaged = |text| (Code::PatchDamaged, FormatError(text));
        for function in self.patch.functions() {
            let function = function.map_err(|error| (Code::PatchDamaged, error))?;
            if !self.elf.holds(function.body, 1, PF_X) {
                return Err(damaged("a new version lies outside its code"));
            }
            let optional = [function.old, function.stub];
            if optional.into_iter().any(|address| address != 0 && !self.elf.holds(address, 1, PF_X)) {
                return Err(damaged("a dispatch stub or an original-code trampoline lies outside its code"));
            }
            if function.stub != 0 && self.patch.control == 0 {
                return Err(damaged("it has dispatch stubs, but nothing that controls them"));
            }
        }
        self.check_control()?;
        for relocation in self.patch.relocations() {
            let relocation = relocation.map_err(|error| (Code::PatchDamaged, error))?;
            if relocation.offset % 8 != 0 || !self.elf.holds(relocation.offset, 8, PF_W) {
                return Err(damaged("a relocated word lies outside its data, or is not aligned"));
            }
        }
        for variable in self.patch.carried() {
            let variable = variable.map_err(|error| (Code::PatchDamaged, error))?;
            if !self.elf.holds(variable.address, variable.size, PF_W) {
                return Err(damaged("a variable it adds lies outside its data"));
            }
        }
        let Hooks { pre_apply, post_apply, pre_revert, post_revert } = self.patch.hooks;
        let hooks = [pre_apply, post_apply, pre_revert, post_revert];
        if hooks.into_iter().any(|hook| hook != 0 && !self.elf.holds(hook, 1, PF_X)) {
            return Err(damaged("a hook lies outside its code"));
        }
        Ok(())
    }

    fn check_control(&self) -> Result<(), Refusal> {
        let at = self.patch.control;
        let size = control::FUNCTIONS + control::FUNCTION_SIZE * self.patch.function_count() as u64;
        if at != 0 && (!at.is_multiple_of(8) || !self.elf.holds(at, size, PF_W)) {
            return Err((
                Code::PatchDamaged,
                FormatError("its control block lies outside its data, or is not aligned"),
            ));
        }
        Ok(())
    }
}
