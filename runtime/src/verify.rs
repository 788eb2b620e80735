//! Whether a patch file may be loaded: intact, understood, and made for the base as it is in memory. Nothing has been
//! touched.

use core::sync::atomic::Ordering;

use dsu_abi::file::{self, PatchFile};
use dsu_abi::patch::{Consistency, FUNCTION_STAYS, PatchFunction};
use dsu_abi::stub::{self, Dispatch};
use dsu_abi::wire::Code;

use crate::arch;
use crate::fail::{Fail, Result};
use crate::image::{Entry, Replacement};
use crate::sys::memory::{SealedCopy, Table, TextSpan, check_writable, regular_file_size};
use crate::sys::modules::Module;
use crate::sys::pinned::PinnedModule;
use crate::sys::range::Range;
use crate::sys::{Errno, Fd, process};
use crate::text::Text;

/// A patch file that is intact and understood; not yet known to fit anything.
pub(crate) struct Verified {
    pub(crate) copy: SealedCopy,
    pub(crate) checksum: [u8; 32],
}

impl Verified {
    /// Reads the file once; what happens to it afterwards does not matter.
    pub(crate) fn read(file: &Fd) -> Result<Self> {
        let unreadable = |errno| Fail::system(Code::PatchUnreadable, errno, "");
        let size = regular_file_size(file).map_err(unreadable)?;
        if size > file::SIZE_MAX {
            return Err(Fail::new(Code::PatchDamaged, "", "larger than 256 MiB"));
        }
        let copy = named_copy(file, size as usize).map_err(unreadable)?;
        let opened = file::open(copy.bytes())?;
        let checksum = opened.patch.checksum;
        if sha256(opened.hashed_parts()) != checksum {
            let detail = "checksum differs: damaged on its way; copy it again";
            return Err(Fail::new(Code::PatchDamaged, "", detail));
        }
        opened.check_tables()?;
        Ok(Self { copy, checksum })
    }

    pub(crate) fn opened(&self) -> Result<PatchFile<'_>> {
        Ok(file::open(self.copy.bytes())?)
    }

    /// Whether it is made for the module.
    pub(crate) fn fits(&self, module: &Module) -> bool {
        self.opened().is_ok_and(|file| file.patch.base_build_id == module.build_id())
    }

    /// The build-id of the base it is made for, in hexadecimal: what to say when no module fits.
    pub(crate) fn wanted(&self) -> Text<128> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = Text::empty();
        for byte in self.opened().map_or(&[][..], |file| file.patch.base_build_id) {
            for digit in [byte >> 4, byte & 15] {
                text.push(DIGITS.get(usize::from(digit)..=usize::from(digit)).unwrap_or(&[]));
            }
        }
        text
    }

    /// Whether the patch asks for consistency `thread`.
    pub(crate) fn wants_thread(&self) -> bool {
        self.opened().is_ok_and(|file| file.patch.consistency == Consistency::Thread)
    }

    /// What consistency `thread` needs of a patch, to apply it or to revert it.
    pub(crate) fn check_trampolines(&self) -> Result<()> {
        for function in self.opened()?.patch.functions() {
            let function = function?;
            let missing = match function.dispatch {
                _ if function.stub == 0 => "it has no dispatch stub",
                _ if function.size == 0 => "the length of its code is not known",
                Dispatch::Armed if function.old == 0 => "its first instruction cannot be moved",
                Dispatch::Armed | Dispatch::Always => continue,
            };
            return Err(Fail::new(Code::NoTrampoline, function.name, missing));
        }
        Ok(())
    }

    /// Finds what it changes in the base.
    pub(crate) fn check(&self, base: &PinnedModule<'_>) -> Result<Checked> {
        let opened = self.opened()?;
        let mut replacements = Table::with_capacity(opened.patch.function_count()).map_err(no_memory)?;
        for function in opened.patch.functions() {
            let function = function?;
            replacements.push(replacement(base, &function)?).map_err(no_memory)?;
        }
        let text = text_span(base, replacements.as_slice());
        if let Some(span) = &text {
            can_write(span)?;
        }
        Ok(Checked { replacements, text })
    }
}

/// What a patch changes in the base.
pub(crate) struct Checked {
    pub(crate) replacements: Table<Replacement>,
    /// The text that arming writes to.
    pub(crate) text: Option<TextSpan>,
}

#[cold]
#[inline(never)]
pub(crate) fn no_memory(errno: Errno) -> Fail {
    Fail::system(Code::OutOfResources, errno, "memory for the patch's tables")
}

/// A sealed copy that is called as the patch is, for `/proc/PID/maps`, `perf` and debuggers. A name cannot be given
/// later and is not known before, hence twice.
fn named_copy(file: &Fd, size: usize) -> core::result::Result<SealedCopy, Errno> {
    let first = SealedCopy::new(file, size, c"dsu-patch")?;
    let name = file::open(first.bytes()).map_or("damaged", |opened| opened.patch.name);
    let name = Text::<200>::empty().with(name.as_bytes());
    SealedCopy::new(&first.fd, size, name.as_c_str().unwrap_or(c"dsu-patch"))
}

/// Whether the program's text may be changed at all.
fn can_write(span: &TextSpan) -> Result<()> {
    if !process::has_barrier() {
        return Err(Fail::new(Code::NoBarrier, "membarrier(PRIVATE_EXPEDITED_SYNC_CORE)", ""));
    }
    check_writable(span).map_err(|errno| Fail::system(Code::TextNotWritable, errno, ""))
}

/// The pages that arming the functions writes to.
fn text_span(base: &PinnedModule<'_>, replacements: &[Replacement]) -> Option<TextSpan> {
    let (mut first, mut last) = (usize::MAX, 0);
    for replacement in replacements {
        if let Entry::Armed { address, .. } = replacement.entry {
            (first, last) = (first.min(address), last.max(address));
        }
    }
    if first > last { None } else { base.text_span(first, last) }
}

/// SHA-256 of the parts, one after the other. The block function of the crate is used without its buffering,
/// which can panic.
fn sha256(parts: [&[u8]; 3]) -> [u8; 32] {
    const START: [u32; 8] =
        [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
    let mut state = START;
    let total = parts.iter().map(|part| part.len()).sum::<usize>();
    let length = (total as u64).wrapping_mul(8).to_be_bytes();
    // A byte of which one bit is set, zeros, and the length in bits, which ends a block.
    let zeros = [0; 64];
    let zeros = zeros.get(..63 - (total + 8) % 64).unwrap_or(&[]);
    let [first, second, third] = parts;
    let (mut block, mut filled) = ([0; 64], 0);
    for part in [first, second, third, &[0x80], zeros, &length] {
        for byte in part {
            if let Some(place) = block.get_mut(filled) {
                *place = *byte;
            }
            filled += 1;
            if filled == block.len() {
                sha2::block_api::compress256(&mut state, core::slice::from_ref(&block));
                filled = 0;
            }
        }
    }
    let mut out = [0; 32];
    for (to, word) in out.chunks_exact_mut(4).zip(state) {
        to.copy_from_slice(&word.to_be_bytes());
    }
    out
}

/// Finds a function in the base's memory, and makes sure that it is that function.
fn replacement(base: &PinnedModule<'_>, function: &PatchFunction<'_>) -> Result<Replacement> {
    let differs = |detail| Fail::new(Code::FunctionMismatch, function.name, detail);
    let slot = base.slot(function.slot).ok_or_else(|| differs("its slot is not in writable memory of the base"))?;
    let arm_at = function.entry.wrapping_add(function.arm_offset.into());
    let address = base.code(arm_at).ok_or_else(|| differs("its entry is not in the code of the base"))?;
    let pad = || base.bytes(function.entry, arch::LANDING_PAD_SIZE);
    if function.arm_offset != 0 && !pad().is_some_and(arch::is_landing_pad) {
        return Err(differs("its entry does not begin with endbr64"));
    }
    let (jump, after) = arch::stub_jump(function.dispatch, function.entry, arm_at);
    let code = base.bytes(jump, arch::JUMP_SIZE).ok_or_else(|| differs("its stub is not in the code of the base"))?;
    let target = arch::slot_of(code, after).ok_or_else(|| differs("there is no stub at its entry"))?;
    if target != function.slot {
        return Err(differs("its stub jumps through another slot"));
    }
    let entry = match function.dispatch {
        Dispatch::Always => Entry::Always { base: address.wrapping_add(arch::JUMP_SIZE) },
        Dispatch::Armed => {
            let id = base.bytes(function.entry.wrapping_sub(stub::PREFIX_SIZE), 8);
            if id != Some(&function.function_id.to_le_bytes()) {
                return Err(differs("another function is at its address"));
            }
            let text = base.entry(arm_at).ok_or_else(|| differs("its entry is not aligned"))?;
            let armed = arch::armed_entry(function.arm_offset).ok_or_else(|| differs("it cannot be armed there"))?;
            let bytes = u16::from_le_bytes(function.entry_bytes);
            if ![bytes, armed].contains(&text.load(Ordering::Acquire)) {
                return Err(differs("its first bytes differ"));
            }
            Entry::Armed { text, base: bytes, armed, address }
        }
    };
    let start = base.code(function.entry).ok_or_else(|| differs("its entry is not in the code of the base"))?;
    Ok(Replacement {
        slot,
        body: 0,
        entry,
        stub: 0,
        pair: None,
        original: 0,
        range: Range { start, end: start.saturating_add(function.size as usize) },
        never_returns: function.flags & FUNCTION_STAYS != 0,
        line: function.line,
        function: "",
        unit: "",
    })
}

#[cfg(test)]
mod tests {
    use super::sha256;

    fn hex(hash: [u8; 32]) -> String {
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn sha256_agrees_with_the_standard() {
        // FIPS 180-2, B.1 and B.2, and the empty message.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let two_blocks = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hex(sha256([b"a", b"", b"bc"])), abc);
        let (head, tail) = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".split_at(30);
        assert_eq!(hex(sha256([head, tail, b""])), two_blocks);
        assert_eq!(hex(sha256([b"", b"", b""])), empty);
    }
}
