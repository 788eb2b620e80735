//! `.dsu.patch`: what the runtime needs of a patch object - which functions to redirect, and which words of the
//! loaded object to fill with addresses of the base. A patch object is an ordinary ELF shared object; a second
//! section, [`MANIFEST_SECTION`], holds JSON for people and tools, which the runtime never reads.
//!
//! All addresses of the base are virtual addresses of its file; the process adds the load bias. All addresses of
//! the patch are virtual addresses of the patch object.

use crate::cursor::{Cursor, FormatError, Result, slice, string};
use crate::stub::Dispatch;

/// What [`Patch::control`] points to.
pub use crate::control;

/// Section with the tables below (not allocated).
pub const SECTION: &str = ".dsu.patch";
/// Section with the manifest, a JSON object (not allocated).
pub const MANIFEST_SECTION: &str = ".dsu.manifest";
/// First bytes of the section.
pub const MAGIC: &[u8; 8] = b"DSUPATCH";
/// Version of this layout.
pub const VERSION: u32 = 3;
/// Bytes of the header.
pub const HEADER_SIZE: u64 = 256;
/// Offset in the header of the SHA-256 of the whole file, taken with these 32 bytes zero.
pub const CHECKSUM_OFFSET: u64 = 24;
/// Bytes of a function entry.
pub const FUNCTION_SIZE: u64 = 96;
/// Bytes of a relocation entry.
pub const RELOCATION_SIZE: u64 = 32;
/// Bytes of an entry for a persistent variable.
pub const CARRIED_SIZE: u64 = 48;
/// Longest build-id that is understood (SHA-1 has 20 bytes, `--build-id=0x…` may be longer).
pub const BUILD_ID_MAX: usize = 32;

/// When a thread starts to run new versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Consistency {
    /// Every call after the commit gets the newest version (PSU).
    Newest = 0,
    /// Each thread switches by itself at a quiescence point, all functions at once (WfPatch).
    Thread = 1,
}

/// Bit of [`PatchFunction::flags`]: the old version may never return (a thread's main loop). A thread inside it may
/// move on all the same; the running invocation keeps the old version until the process ends.
pub const FUNCTION_STAYS: u8 = 1;
/// Bit of [`Patch::flags`]: the address of a function that only the patch has is stored somewhere, so its code must
/// stay mapped.
pub const PATCH_ESCAPES: u32 = 1;

/// Functions of the patch that the runtime calls on its own thread; 0 where there is none. Each takes nothing and
/// returns an `int`: other than 0, `pre_apply` and `pre_revert` veto.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hooks {
    /// Before anything is switched.
    pub pre_apply: u64,
    /// When the last thread has moved.
    pub post_apply: u64,
    /// Before a revert.
    pub pre_revert: u64,
    /// When the last thread is back.
    pub post_revert: u64,
}

/// A variable that the patch adds. A later patch that adds it too goes on with the storage of this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CarriedVariable<'a> {
    /// Hash of unit and name: two variables with the same identity are one.
    pub identity: u64,
    /// Hash of what it is (type, size, alignment); with the same identity and another content, a patch is refused.
    pub shape: u64,
    /// Its own storage, in the patch object.
    pub address: u64,
    /// Bytes.
    pub size: u64,
    /// Its name, for messages.
    pub name: &'a str,
}

/// A function to redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PatchFunction<'a> {
    /// Entry in the base.
    pub entry: u64,
    /// Slot in the base.
    pub slot: u64,
    /// The 8 bytes at `entry - 16` (dispatch `armed`), checked before anything is written.
    pub function_id: u64,
    /// New version, in the patch object.
    pub body: u64,
    /// Original-code trampoline, into the base's version while the entry is armed, in the patch object; 0 when there is
    /// none.
    pub old: u64,
    /// Dispatch stub, in the patch object; 0 when there is none. See [`control`].
    pub stub: u64,
    /// Bytes of the base's version, from `entry` on. May be more than it has, never less.
    pub size: u32,
    /// Line of its definition in the base's unit; 0 when unknown.
    pub line: u32,
    /// [`FUNCTION_STAYS`].
    pub flags: u8,
    /// The first two bytes at `entry + arm_offset` in the base: checked before arming, written back on revert.
    pub entry_bytes: [u8; 2],
    /// How calls dispatch.
    pub dispatch: Dispatch,
    /// 0, or 4 behind endbr64.
    pub arm_offset: u8,
    /// Function name.
    pub name: &'a str,
    /// Name of its unit.
    pub unit: &'a str,
}

/// What a relocated word refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum RelocationKind {
    /// `bias + value + addend`: `R_X86_64_64` and `R_X86_64_GLOB_DAT` of the psABI.
    Address = 1,
    /// Offset from the thread pointer of TLS offset `value + addend`: `R_X86_64_TPOFF64`. Static TLS only.
    TpOffset = 2,
    /// The base's TLS module number: `R_X86_64_DTPMOD64`.
    TlsModule = 3,
    /// `value + addend`, an offset in the base's TLS block: `R_X86_64_DTPOFF64`.
    TlsOffset = 4,
    /// Storage of persistent variable number `value`, plus `addend`.
    Carried = 5,
}

/// A word of the patch object to be filled with something of the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PatchRelocation<'a> {
    /// Where, in the patch object (8 bytes, aligned).
    pub offset: u64,
    /// Address in the base, or TLS offset.
    pub value: u64,
    /// Added to it.
    pub addend: i64,
    /// What it refers to.
    pub kind: RelocationKind,
    /// Symbol it came from, for messages.
    pub name: &'a str,
}

/// A parsed section; entries are decoded as they are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Patch<'a> {
    /// Name given by the release engineer.
    pub name: &'a str,
    /// Build-id of the only base this patch fits.
    pub base_build_id: &'a [u8],
    /// ELF machine number of base and patch (`EM_X86_64` is 62).
    pub machine: u16,
    /// Consistency chosen by patchgen.
    pub consistency: Consistency,
    /// SHA-256 recorded in the header.
    pub checksum: [u8; 32],
    /// [`PATCH_ESCAPES`].
    pub flags: u32,
    /// Its control block, in the patch object; 0 when it has no dispatch stubs.
    pub control: u64,
    /// Functions it wants called.
    pub hooks: Hooks,
    functions: &'a [u8],
    relocations: &'a [u8],
    carried: &'a [u8],
    strings: &'a [u8],
}

/// Reads the section. The checksum is the caller's to verify: it covers the whole file.
pub fn parse(section: &[u8]) -> Result<Patch<'_>> {
    const WHAT: &str = "patch table is cut short";
    let mut c = Cursor::new(section, WHAT);
    if &c.array::<8>()? != MAGIC {
        return Err(FormatError("section `.dsu.patch`: wrong magic"));
    }
    if c.u32()? != VERSION {
        return Err(FormatError(
            "section `.dsu.patch`: unknown format version; use the dsuctl and runtime this patch was made for",
        ));
    }
    c.u32()?;
    if c.u64()? != section.len() as u64 {
        return Err(FormatError("section `.dsu.patch`: size differs from the one recorded"));
    }
    let checksum = c.array::<32>()?;
    let machine = c.u16()?;
    let consistency = match c.u8()? {
        0 => Consistency::Newest,
        1 => Consistency::Thread,
        _ => return Err(FormatError("section `.dsu.patch`: unknown consistency")),
    };
    let build_id_len = usize::from(c.u8()?);
    let name = c.u32()?;
    let build_id_at = c.position() as u64;
    c.array::<BUILD_ID_MAX>()?;
    if build_id_len == 0 || build_id_len > BUILD_ID_MAX {
        return Err(FormatError("section `.dsu.patch`: build-id of unusable length"));
    }
    let mut table = |entry_size: u64| -> Result<&[u8]> {
        let [offset, count] = c.longs()?;
        slice(section, offset, count.checked_mul(entry_size).ok_or(FormatError(WHAT))?, WHAT)
    };
    let (functions, relocations) = (table(FUNCTION_SIZE)?, table(RELOCATION_SIZE)?);
    let (carried, strings) = (table(CARRIED_SIZE)?, table(1)?);
    let (flags, _padding) = (c.u32()?, c.u32()?);
    let [control, pre_apply, post_apply, pre_revert, post_revert] = c.longs()?;
    let hooks = Hooks { pre_apply, post_apply, pre_revert, post_revert };
    Ok(Patch {
        name: string(strings, name)?,
        base_build_id: slice(section, build_id_at, build_id_len as u64, WHAT)?,
        machine,
        consistency,
        checksum,
        flags,
        control,
        hooks,
        functions,
        relocations,
        carried,
        strings,
    })
}

impl<'a> Patch<'a> {
    /// How many functions it redirects.
    pub fn function_count(&self) -> usize {
        self.functions.len() / FUNCTION_SIZE as usize
    }

    /// How many words it relocates.
    pub fn relocation_count(&self) -> usize {
        self.relocations.len() / RELOCATION_SIZE as usize
    }

    /// The functions it redirects.
    pub fn functions(&self) -> impl Iterator<Item = Result<PatchFunction<'a>>> + use<'a> {
        let strings = self.strings;
        self.functions.chunks_exact(FUNCTION_SIZE as usize).map(move |entry| function(entry, strings))
    }

    /// The words it relocates.
    pub fn relocations(&self) -> impl Iterator<Item = Result<PatchRelocation<'a>>> + use<'a> {
        let strings = self.strings;
        self.relocations.chunks_exact(RELOCATION_SIZE as usize).map(move |entry| relocation(entry, strings))
    }

    /// How many variables it adds.
    pub fn carried_count(&self) -> usize {
        self.carried.len() / CARRIED_SIZE as usize
    }

    /// The variables it adds.
    pub fn carried(&self) -> impl Iterator<Item = Result<CarriedVariable<'a>>> + use<'a> {
        let strings = self.strings;
        self.carried.chunks_exact(CARRIED_SIZE as usize).map(move |entry| carried(entry, strings))
    }
}

fn carried<'a>(entry: &[u8], strings: &'a [u8]) -> Result<CarriedVariable<'a>> {
    let mut c = Cursor::new(entry, "patch table: entry of a persistent variable is cut short");
    let [identity, shape, address, size] = c.longs()?;
    Ok(CarriedVariable { identity, shape, address, size, name: string(strings, c.u32()?)? })
}

fn function<'a>(entry: &[u8], strings: &'a [u8]) -> Result<PatchFunction<'a>> {
    let mut c = Cursor::new(entry, "patch table: function entry is cut short");
    let [address, slot, function_id, body, old, stub] = c.longs()?;
    let (size, line) = (c.u32()?, c.u32()?);
    let (name, unit) = (string(strings, c.u32()?)?, string(strings, c.u32()?)?);
    let entry_bytes = c.array::<2>()?;
    let dispatch = Dispatch::from_number(c.u8()?).ok_or(FormatError("patch table: unknown dispatch"))?;
    let arm_offset = c.u8()?;
    let flags = c.u8()?;
    if crate::stub::arm_bytes(arm_offset).is_none() {
        return Err(FormatError("patch table: function armed at an impossible offset"));
    }
    let entry = address;
    Ok(PatchFunction {
        entry,
        slot,
        function_id,
        body,
        old,
        stub,
        size,
        line,
        flags,
        entry_bytes,
        dispatch,
        arm_offset,
        name,
        unit,
    })
}

fn relocation<'a>(entry: &[u8], strings: &'a [u8]) -> Result<PatchRelocation<'a>> {
    let mut c = Cursor::new(entry, "patch table: relocation is cut short");
    let (offset, value, addend) = (c.u64()?, c.u64()?, c.i64()?);
    let kind = match c.u32()? {
        1 => RelocationKind::Address,
        2 => RelocationKind::TpOffset,
        3 => RelocationKind::TlsModule,
        4 => RelocationKind::TlsOffset,
        5 => RelocationKind::Carried,
        _ => return Err(FormatError("patch table: unknown kind of relocation")),
    };
    Ok(PatchRelocation { offset, value, addend, kind, name: string(strings, c.u32()?)? })
}

/// Everything the section holds, for writing.
#[cfg(feature = "alloc")]
#[derive(Debug, Clone)]
pub struct PatchTables<'a> {
    /// See [`Patch::name`].
    pub name: &'a str,
    /// See [`Patch::base_build_id`]: 1 to [`BUILD_ID_MAX`] bytes.
    pub base_build_id: &'a [u8],
    /// See [`Patch::machine`].
    pub machine: u16,
    /// See [`Patch::consistency`].
    pub consistency: Consistency,
    /// Functions to redirect.
    pub functions: alloc::vec::Vec<PatchFunction<'a>>,
    /// Words to relocate.
    pub relocations: alloc::vec::Vec<PatchRelocation<'a>>,
    /// Variables it adds.
    pub carried: alloc::vec::Vec<CarriedVariable<'a>>,
    /// See [`Patch::flags`].
    pub flags: u32,
    /// See [`Patch::control`].
    pub control: u64,
    /// See [`Patch::hooks`].
    pub hooks: Hooks,
}

#[cfg(feature = "alloc")]
impl PatchTables<'_> {
    /// The section's bytes, with a zero checksum to be filled in once the file is complete.
    ///
    /// # Errors
    /// When the build-id is empty or longer than [`BUILD_ID_MAX`].
    pub fn to_bytes(&self) -> Result<alloc::vec::Vec<u8>> {
        if self.base_build_id.is_empty() || self.base_build_id.len() > BUILD_ID_MAX {
            return Err(FormatError("build-id of unusable length"));
        }
        let mut strings = crate::cursor::Strings::default();
        let name = strings.add(self.name);
        let mut body = alloc::vec::Vec::new();
        for f in &self.functions {
            put_function(&mut body, f, &mut strings);
        }
        for r in &self.relocations {
            put_relocation(&mut body, r, &mut strings);
        }
        for v in &self.carried {
            put_carried(&mut body, v, &mut strings);
        }
        let strings = strings.into_bytes();
        let relocations_at = HEADER_SIZE + self.functions.len() as u64 * FUNCTION_SIZE;
        let carried_at = relocations_at + self.relocations.len() as u64 * RELOCATION_SIZE;
        let strings_at = HEADER_SIZE + body.len() as u64;
        let size = strings_at + strings.len() as u64;

        let mut out = MAGIC.to_vec();
        out.extend(VERSION.to_le_bytes());
        out.extend((HEADER_SIZE as u32).to_le_bytes());
        out.extend(size.to_le_bytes());
        out.extend([0; 32]);
        out.extend(self.machine.to_le_bytes());
        out.extend([self.consistency as u8, self.base_build_id.len() as u8]);
        out.extend(name.to_le_bytes());
        let mut build_id = [0; BUILD_ID_MAX];
        build_id[..self.base_build_id.len()].copy_from_slice(self.base_build_id);
        out.extend(build_id);
        let tables = [
            (HEADER_SIZE, self.functions.len()),
            (relocations_at, self.relocations.len()),
            (carried_at, self.carried.len()),
            (strings_at, strings.len()),
        ];
        for (offset, count) in tables {
            out.extend(offset.to_le_bytes());
            out.extend((count as u64).to_le_bytes());
        }
        out.extend(self.flags.to_le_bytes());
        out.extend([0; 4]);
        let Hooks { pre_apply, post_apply, pre_revert, post_revert } = self.hooks;
        for word in [self.control, pre_apply, post_apply, pre_revert, post_revert] {
            out.extend(word.to_le_bytes());
        }
        out.resize(HEADER_SIZE as usize, 0);
        out.extend(body);
        out.extend(strings);
        Ok(out)
    }
}

#[cfg(feature = "alloc")]
fn put_function(out: &mut alloc::vec::Vec<u8>, f: &PatchFunction<'_>, strings: &mut crate::cursor::Strings) {
    let end = out.len() + FUNCTION_SIZE as usize;
    for word in [f.entry, f.slot, f.function_id, f.body, f.old, f.stub] {
        out.extend(word.to_le_bytes());
    }
    out.extend(f.size.to_le_bytes());
    out.extend(f.line.to_le_bytes());
    out.extend(strings.add(f.name).to_le_bytes());
    out.extend(strings.add(f.unit).to_le_bytes());
    out.extend(f.entry_bytes);
    out.extend([f.dispatch as u8, f.arm_offset, f.flags]);
    out.resize(end, 0);
}

#[cfg(feature = "alloc")]
fn put_relocation(out: &mut alloc::vec::Vec<u8>, r: &PatchRelocation<'_>, strings: &mut crate::cursor::Strings) {
    out.extend(r.offset.to_le_bytes());
    out.extend(r.value.to_le_bytes());
    out.extend(r.addend.to_le_bytes());
    out.extend((r.kind as u32).to_le_bytes());
    out.extend(strings.add(r.name).to_le_bytes());
}

#[cfg(feature = "alloc")]
fn put_carried(out: &mut alloc::vec::Vec<u8>, v: &CarriedVariable<'_>, strings: &mut crate::cursor::Strings) {
    let end = out.len() + CARRIED_SIZE as usize;
    for word in [v.identity, v.shape, v.address, v.size] {
        out.extend(word.to_le_bytes());
    }
    out.extend(strings.add(v.name).to_le_bytes());
    out.resize(end, 0);
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;

    fn tables() -> PatchTables<'static> {
        PatchTables {
            name: "CVE-0",
            base_build_id: &[0xab; 20],
            machine: 62,
            consistency: Consistency::Newest,
            functions: vec![PatchFunction {
                entry: 0x1130,
                slot: 0x4000,
                function_id: 9,
                body: 0x500,
                old: 0x540,
                stub: 0x580,
                size: 77,
                line: 12,
                flags: FUNCTION_STAYS,
                entry_bytes: [0x66, 0x90],
                dispatch: Dispatch::Armed,
                arm_offset: 4,
                name: "parse",
                unit: "a.c",
            }],
            relocations: vec![PatchRelocation {
                offset: 0x2000,
                value: 0x4010,
                addend: -8,
                kind: RelocationKind::TpOffset,
                name: "counter",
            }],
            carried: vec![CarriedVariable { identity: 5, shape: 6, address: 0x3000, size: 8, name: "added" }],
            flags: PATCH_ESCAPES,
            control: 0x3100,
            hooks: Hooks { pre_apply: 1, post_apply: 2, pre_revert: 3, post_revert: 4 },
        }
    }

    #[test]
    fn a_patch_comes_back_as_written() {
        let bytes = tables().to_bytes().expect("valid");
        let read = parse(&bytes).expect("just written");
        assert_eq!((read.name, read.base_build_id, read.machine), ("CVE-0", &[0xab; 20][..], 62));
        assert_eq!((read.function_count(), read.relocation_count()), (1, 1));
        let functions: Result<Vec<_>> = read.functions().collect();
        assert_eq!(functions.expect("just written"), tables().functions);
        let relocations: Result<Vec<_>> = read.relocations().collect();
        assert_eq!(relocations.expect("just written"), tables().relocations);
        let carried: Result<Vec<_>> = read.carried().collect();
        assert_eq!(carried.expect("just written"), tables().carried);
        assert_eq!((read.flags, read.control, read.hooks), (PATCH_ESCAPES, 0x3100, tables().hooks));
        assert_eq!(bytes[CHECKSUM_OFFSET as usize..][..32], [0; 32]);
    }

    #[test]
    fn every_cut_is_refused() {
        let bytes = tables().to_bytes().expect("valid");
        for len in 0..bytes.len() {
            assert!(parse(&bytes[..len]).is_err(), "{len} bytes");
        }
    }

    #[test]
    fn no_flipped_bit_panics() {
        let whole = tables().to_bytes().expect("valid");
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(patch) = parse(&bytes) {
                assert!(patch.functions().count() <= patch.function_count());
                assert!(patch.relocations().count() <= patch.relocation_count());
                assert!(patch.carried().count() <= patch.carried_count());
            }
        }
    }

    #[test]
    fn another_version_is_named_as_the_reason() {
        let mut bytes = tables().to_bytes().expect("valid");
        bytes[8] = 1;
        let error = parse(&bytes).expect_err("version 1 is no more");
        assert!(error.0.contains("unknown format version"), "{error}");
    }
}
