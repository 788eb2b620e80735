//! From a patch file to an image: a copy nobody can change, checked, loaded by the dynamic linker, its references
//! to the base filled in. Nothing of the base has been touched when it is done; a failure leaves nothing behind.

use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, AtomicUsize, Ordering};

use dsu_abi::elf::{PF_W, PF_X};
use dsu_abi::file::{self, PatchFile};
use dsu_abi::patch::{
    Consistency, FUNCTION_STAYS, Hooks, PATCH_ESCAPES, PatchFunction, PatchRelocation, RelocationKind, control,
};
use dsu_abi::stub::{self, Dispatch};
use dsu_abi::wire::Code;

use crate::fail::{Fail, Result};
use crate::scan::{Range, Visit};
use crate::sys::loader::{self, Held, Loaded, Mark, Module};
use crate::sys::memory::{PAGE, SealedCopy, Table, TextSpan, regular_file_size, set_code_present};
use crate::sys::{Errno, Fd, process};
use crate::text::Text;
use crate::{gate, switch, threads};

/// One function of an image, ready to be switched to.
#[derive(Clone, Copy)]
pub(crate) struct Redirect {
    /// Where every version is called through.
    pub(crate) slot: &'static AtomicUsize,
    /// New version.
    pub(crate) body: usize,
    /// How calls reach the slot.
    pub(crate) entry: Entry,
    /// Transition stub; 0 when there is none.
    pub(crate) stub: usize,
    /// Where the stub goes.
    pub(crate) pair: Option<&'static [AtomicUsize; 2]>,
    /// A way into the base's version that works while the entry is armed; 0 when there is none.
    pub(crate) old: usize,
    /// The base's version.
    pub(crate) range: Range,
    /// It may never return: nobody waits for it.
    pub(crate) stays: bool,
    pub(crate) line: u32,
    pub(crate) function: &'static str,
    pub(crate) unit: &'static str,
}

/// What switching means at the function's entry.
#[derive(Clone, Copy)]
pub(crate) enum Entry {
    /// Two bytes of text, as the base has them and as they are when armed.
    Armed { text: &'static AtomicU16, base: u16, armed: u16, address: usize },
    /// Only the slot; its value in the base.
    Always { base: usize },
}

/// A variable that the image adds.
#[derive(Clone, Copy)]
pub(crate) struct Carried {
    identity: u64,
    shape: u64,
    size: u64,
    /// Where its value is: in the first image that added it.
    storage: usize,
}

impl Carried {
    /// Takes the storage it has in an image; false if the image has another variable of that name.
    fn goes_on_from(&mut self, image: &Image) -> bool {
        let mut same = true;
        for other in image.carried.iter().filter(|other| other.identity == self.identity) {
            if other.shape == self.shape && other.size == self.size {
                self.storage = other.storage;
            } else {
                same = false;
            }
        }
        same
    }
}

/// A loaded patch. Its data stays as long as the module it is for; its code goes when nothing can return into it.
pub(crate) struct Image {
    /// An address of code that only this patch has is kept somewhere.
    pub(crate) escapes: bool,
    /// Its executable pages.
    pub(crate) code: Range,
    /// Bytes of everything else.
    pub(crate) data: u64,
    /// What the patch wants called, as addresses.
    pub(crate) hooks: Hooks,
    pub(crate) carried: &'static [Carried],
    /// Word of the control block that tells stubs which version is for whom: see [`control::threshold`].
    pub(crate) threshold: Option<&'static AtomicUsize>,
    /// Its code has been taken away.
    pub(crate) reclaimed: AtomicBool,
    pub(crate) name: &'static str,
    pub(crate) checksum: [u8; 32],
    /// Load bias of the module it is for.
    pub(crate) module: usize,
    /// By what to know that the module is still there.
    pub(crate) mark: Option<Mark>,
    /// It is not.
    pub(crate) gone: AtomicBool,
    pub(crate) redirects: &'static [Redirect],
    /// Whether `redirects` ascend by slot.
    pub(crate) sorted: bool,
    /// The text that arming writes to.
    pub(crate) text: Option<TextSpan>,
    /// The image loaded before it.
    next: AtomicPtr<Image>,
    /// What all of this refers to.
    _memory: (Loaded, SealedCopy, Table<Redirect>, Table<Carried>),
}

/// A patch file that is intact and understood; not yet known to fit anything.
pub(crate) struct Verified {
    copy: SealedCopy,
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

    fn opened(&self) -> Result<PatchFile<'_>> {
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
                text = text.with(DIGITS.get(usize::from(digit)..=usize::from(digit)).unwrap_or(&[]));
            }
        }
        text
    }

    /// Whether the patch asks for consistency `thread`.
    pub(crate) fn wants_thread(&self) -> bool {
        self.opened().is_ok_and(|file| file.patch.consistency == Consistency::Thread)
    }

    /// What consistency `thread` needs of a patch, on its way there or back.
    pub(crate) fn check_ways(&self) -> Result<()> {
        for function in self.opened()?.patch.functions() {
            let function = function?;
            let missing = match function.dispatch {
                _ if function.stub == 0 => "it has no transition stub",
                _ if function.size == 0 => "the length of its code is not known",
                Dispatch::Armed if function.old == 0 => "its first instruction cannot be moved",
                Dispatch::Armed | Dispatch::Always => continue,
            };
            return Err(Fail::new(Code::NoOldWay, function.name, missing));
        }
        Ok(())
    }

    /// Finds what it changes in the base.
    fn check(&self, base: &Held<'_>) -> Result<Checked> {
        let opened = self.opened()?;
        let mut redirects = Table::with_capacity(opened.patch.function_count()).map_err(no_memory)?;
        for function in opened.patch.functions() {
            let function = function?;
            redirects.push(redirect(base, &function)?).map_err(no_memory)?;
        }
        let text = text_span(base, redirects.as_slice());
        if let Some(span) = &text {
            switch::check_writable(span)?;
        }
        Ok(Checked { redirects, text })
    }

    /// Checks it against the base, loads it, relocates it. `earlier` are the images of the module, latest first, of
    /// which one may be `active`.
    pub(crate) fn load(
        self,
        module: &Module,
        active: Option<&'static Image>,
        earlier: impl Iterator<Item = &'static Image> + Clone,
    ) -> Result<&'static Image> {
        let gone = || Fail::new(Code::WrongBuildId, self.wanted().as_str(), UNLOADED);
        let checked = Held::during(module, |base| self.check(base)).ok_or_else(gone)??;
        let opened = self.opened()?;
        let mut carried = Table::with_capacity(opened.patch.carried_count()).map_err(no_memory)?;
        for variable in opened.patch.carried() {
            let variable = variable?;
            let (identity, shape, size) = (variable.identity, variable.shape, variable.size);
            // Its own storage is known when the object is loaded.
            let mut known = Carried { identity, shape, size, storage: 0 };
            for image in earlier.clone() {
                let differs = !known.goes_on_from(image);
                // Patches that were taken back may have had another one of that name.
                if differs && active.is_some_and(|active| core::ptr::eq(active, image)) {
                    return Err(Fail::new(
                        Code::CarriedDiffers,
                        variable.name,
                        "its type, size or initial value differs",
                    ));
                }
            }
            carried.push((known, variable.address)).map_err(no_memory)?;
        }
        let loaded = self.link(&opened)?;
        let mut kept = Table::with_capacity(carried.as_slice().len()).map_err(no_memory)?;
        for (variable, address) in carried.as_slice() {
            let own = loaded.bias.wrapping_add(*address as usize);
            let storage = if variable.storage == 0 { own } else { variable.storage };
            kept.push(Carried { storage, ..*variable }).map_err(no_memory)?;
        }
        for relocation in opened.patch.relocations() {
            let relocation = relocation?;
            loaded.fill(relocation.offset, target(module, &relocation, kept.as_slice())?);
        }
        self.keep(module, checked, kept, loaded)
    }

    /// Hands the copy to the dynamic linker, by a name that also works from outside the process.
    fn link(&self, opened: &PatchFile<'_>) -> Result<Loaded> {
        let path = Text::<96>::empty().with(b"/proc/").with_number(process::pid()).with(b"/task/");
        let path = path.with_number(process::thread_id()).with(b"/fd/").with_number(self.copy.fd.number() as u32);
        let name = path.as_c_str().ok_or_else(|| Fail::new(Code::OutOfResources, "", "path of the patch in memory"))?;
        if process::lstat(name).is_err() {
            return Err(Fail::new(Code::NoProc, "", ""));
        }
        let loaded = loader::open(name)?;
        // The linker knows objects by name: make sure it is this one that it returned.
        let code = opened.elf.segments().filter(|s| s.kind == dsu_abi::elf::PT_LOAD && s.flags & PF_W == 0);
        for segment in code {
            let bytes = self.copy.bytes().get(segment.offset as usize..);
            let bytes = bytes.and_then(|tail| tail.get(..segment.file_size as usize)).unwrap_or(&[]);
            if !loaded.has(segment.address, bytes) {
                return Err(Fail::new(Code::Unresolved, "another object was loaded in place of the patch", ""));
            }
        }
        Ok(loaded)
    }

    /// The point of no return: texts of the file are referred to from now on.
    fn keep(
        self,
        module: &Module,
        mut checked: Checked,
        carried: Table<Carried>,
        loaded: Loaded,
    ) -> Result<&'static Image> {
        let mut home = Table::with_capacity(1).map_err(no_memory)?;
        // SAFETY: the image owns the copy, and `State::forget_closed` drops it when it has forgotten all of the image.
        let file = file::open(unsafe { self.copy.lasting() })?;
        let patch = &file.patch;
        let bias = loaded.bias;
        let at = |address: u64| if address == 0 { 0 } else { bias.wrapping_add(address as usize) };
        let mut words = patch.control.wrapping_add(control::FUNCTIONS);
        for (redirect, function) in checked.redirects.as_mut_slice().iter_mut().zip(patch.functions()) {
            let function = function?;
            redirect.body = at(function.body);
            redirect.stub = at(function.stub);
            redirect.pair = (function.stub != 0).then(|| loaded.words(words));
            redirect.old = at(function.old);
            (redirect.function, redirect.unit) = (function.name, function.unit);
            words = words.wrapping_add(control::FUNCTION_SIZE);
        }
        let [code, whole] = extent(&file, bias);
        let threshold = (patch.control != 0).then(|| {
            loaded.fill(patch.control + control::THREAD, threads::thread_offset());
            loaded.fill(patch.control + control::GATE, gate::address());
            let [threshold, _] = loaded.words(patch.control + control::GENERATION);
            threshold
        });
        let Hooks { pre_apply, post_apply, pre_revert, post_revert } = patch.hooks;
        let hook = |address| at(address) as u64;
        // SAFETY: likewise; both are complete.
        let lasting = unsafe { (checked.redirects.lasting(), carried.lasting()) };
        let image = Image {
            name: patch.name,
            checksum: self.checksum,
            module: module.bias,
            mark: module.mark,
            gone: AtomicBool::new(false),
            escapes: patch.flags & PATCH_ESCAPES != 0,
            code,
            data: ((whole.end - whole.start) - (code.end - code.start)) as u64,
            hooks: Hooks {
                pre_apply: hook(pre_apply),
                post_apply: hook(post_apply),
                pre_revert: hook(pre_revert),
                post_revert: hook(post_revert),
            },
            carried: lasting.1,
            threshold,
            reclaimed: AtomicBool::new(false),
            redirects: lasting.0,
            sorted: lasting.0.is_sorted_by_key(|redirect| core::ptr::from_ref(redirect.slot).addr()),
            text: checked.text,
            next: AtomicPtr::new(core::ptr::null_mut()),
            _memory: (loaded, self.copy, checked.redirects, carried),
        };
        home.push(image).map_err(no_memory)?;
        home.leak().ok_or_else(|| no_memory(Errno::NOMEM))
    }
}

/// What a patch changes in the base.
struct Checked {
    redirects: Table<Redirect>,
    /// The text that arming writes to.
    text: Option<TextSpan>,
}

/// Why a module is not patched.
pub(crate) const UNLOADED: &str = "the module was unloaded meanwhile";

#[cold]
#[inline(never)]
fn no_memory(errno: Errno) -> Fail {
    Fail::system(Code::OutOfResources, errno, "memory for the patch's tables")
}

/// The pages of the executable segments, and of all of them.
fn extent(file: &PatchFile<'_>, bias: usize) -> [Range; 2] {
    let mut ranges = [Range { start: 0, end: 0 }; 2];
    for segment in file.elf.segments().filter(|segment| segment.kind == dsu_abi::elf::PT_LOAD) {
        let (start, end) = (segment.address as usize, segment.address.saturating_add(segment.memory_size) as usize);
        for (range, flags) in ranges.iter_mut().zip([PF_X, 0]) {
            let is_first = range.end == 0;
            if segment.flags & flags == flags {
                range.start = if is_first { start } else { range.start.min(start) };
                range.end = range.end.max(end);
            }
        }
    }
    for range in &mut ranges {
        range.start = bias.wrapping_add(range.start & !(PAGE - 1));
        range.end = bias.wrapping_add(range.end.saturating_add(PAGE - 1) & !(PAGE - 1));
    }
    ranges
}

impl Image {
    /// Whether the module it is for is still there.
    pub(crate) fn is_loaded(&self) -> bool {
        self.mark.is_none_or(Mark::stands)
    }

    /// The image loaded before it.
    pub(crate) fn next(&self) -> Option<&'static Self> {
        // SAFETY: null or an image, which `State::forget_closed` takes off the list before it drops it.
        unsafe { self.next.load(Ordering::Relaxed).as_ref() }
    }

    /// Puts another one after it.
    pub(crate) fn set_next(&self, next: Option<&'static Self>) {
        let next = next.map_or(core::ptr::null(), core::ptr::from_ref);
        self.next.store(next.cast_mut(), Ordering::Relaxed);
    }

    /// Takes its code away, or gives it back.
    pub(crate) fn set_present(&self, present: bool) -> core::result::Result<(), Errno> {
        if self.reclaimed.load(Ordering::Relaxed) == present {
            set_code_present(self.code.start, self.code.end - self.code.start, present)?;
            self.reclaimed.store(!present, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The function whose new version an address lies in, as well as the tables tell.
    pub(crate) fn function_at(&self, address: usize) -> Option<&'static Redirect> {
        let before = self.redirects.iter().filter(|redirect| redirect.body <= address);
        before.max_by_key(|redirect| redirect.body).filter(|_| self.code.holds(address))
    }

    /// Its code, but for functions that may never return.
    pub(crate) fn each_range(&self, visit: Visit<'_>) {
        if !self.redirects.iter().any(|redirect| redirect.stays) {
            return visit(self.code);
        }
        for redirect in self.redirects.iter().filter(|redirect| !redirect.stays) {
            let after = self.redirects.iter().map(|other| other.body).filter(|body| *body > redirect.body).min();
            visit(Range { start: redirect.body, end: after.unwrap_or(self.code.end) });
        }
    }
}

/// A sealed copy that is called as the patch is, for `/proc/PID/maps`, `perf` and debuggers. A name cannot be given
/// later and is not known before, hence twice.
fn named_copy(file: &Fd, size: usize) -> core::result::Result<SealedCopy, Errno> {
    let first = SealedCopy::new(file, size, c"dsu-patch")?;
    let name = file::open(first.bytes()).map_or("damaged", |opened| opened.patch.name);
    let name = Text::<200>::empty().with(name.as_bytes());
    SealedCopy::new(&first.fd, size, name.as_c_str().unwrap_or(c"dsu-patch"))
}

/// The pages that arming the functions writes to.
fn text_span(base: &Held<'_>, redirects: &[Redirect]) -> Option<TextSpan> {
    let (mut first, mut last) = (usize::MAX, 0);
    for redirect in redirects {
        if let Entry::Armed { address, .. } = redirect.entry {
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
    // A byte of which one bit is set, zeros, and the length in bits, which ends a block.
    let last = (total + 8) / 64;
    let mut bytes = parts.into_iter().flatten().copied().chain([0x80]);
    for number in 0..=last {
        let mut block = [0; 64];
        for place in &mut block {
            *place = bytes.next().unwrap_or(0);
        }
        if number == last {
            let length = (total as u64).wrapping_mul(8).to_be_bytes();
            for (place, byte) in block.iter_mut().rev().zip(length.into_iter().rev()) {
                *place = byte;
            }
        }
        sha2::block_api::compress256(&mut state, core::slice::from_ref(&block));
    }
    let mut out = [0; 32];
    for (to, word) in out.chunks_exact_mut(4).zip(state) {
        to.copy_from_slice(&word.to_be_bytes());
    }
    out
}

/// Finds a function in the base's memory, and makes sure that it is that function.
fn redirect(base: &Held<'_>, function: &PatchFunction<'_>) -> Result<Redirect> {
    let differs = |detail| Fail::new(Code::FunctionMismatch, function.name, detail);
    let slot = base.slot(function.slot).ok_or_else(|| differs("its slot is not in writable memory of the base"))?;
    let arm_at = function.entry.wrapping_add(function.arm_offset.into());
    let address = base.code(arm_at).ok_or_else(|| differs("its entry is not in the code of the base"))?;
    if function.arm_offset != 0 && base.bytes(function.entry, 4) != Some(&stub::ENDBR64) {
        return Err(differs("its entry does not begin with endbr64"));
    }
    // Where the jump through the slot is, and what follows it.
    let (jump, after) = match function.dispatch {
        Dispatch::Armed => (function.entry.wrapping_sub(stub::JMP_SIZE), function.entry),
        Dispatch::Always => (arm_at, arm_at.wrapping_add(stub::JMP_SIZE)),
    };
    let code =
        base.bytes(jump, stub::JMP_SIZE as usize).ok_or_else(|| differs("its stub is not in the code of the base"))?;
    let displacement = code.strip_prefix(&stub::JMP_INDIRECT).and_then(|rest| rest.first_chunk::<4>());
    let displacement = displacement.ok_or_else(|| differs("there is no stub at its entry"))?;
    let displacement = i64::from(i32::from_le_bytes(*displacement));
    if after.wrapping_add_signed(displacement) != function.slot {
        return Err(differs("its stub jumps through another slot"));
    }
    let entry = match function.dispatch {
        Dispatch::Always => Entry::Always { base: address.wrapping_add(stub::JMP_SIZE as usize) },
        Dispatch::Armed => {
            let id = base.bytes(function.entry.wrapping_sub(stub::PREFIX_SIZE), 8);
            if id != Some(&function.function_id.to_le_bytes()) {
                return Err(differs("another function is at its address"));
            }
            let text = base.entry(arm_at).ok_or_else(|| differs("its entry is not aligned"))?;
            let armed = stub::arm_bytes(function.arm_offset).ok_or_else(|| differs("it cannot be armed there"))?;
            let bytes = function.entry_bytes;
            let (bytes, armed) = (u16::from_le_bytes(bytes), u16::from_le_bytes(armed));
            if ![bytes, armed].contains(&text.load(Ordering::Acquire)) {
                return Err(differs("its first bytes differ"));
            }
            Entry::Armed { text, base: bytes, armed, address }
        }
    };
    let start = base.code(function.entry).ok_or_else(|| differs("its entry is not in the code of the base"))?;
    Ok(Redirect {
        slot,
        body: 0,
        entry,
        stub: 0,
        pair: None,
        old: 0,
        range: Range { start, end: start.saturating_add(function.size as usize) },
        stays: function.flags & FUNCTION_STAYS != 0,
        line: function.line,
        function: "",
        unit: "",
    })
}

/// The value of a relocated word.
fn target(module: &Module, relocation: &PatchRelocation<'_>, carried: &[Carried]) -> Result<usize> {
    let refuse = |detail| Fail::new(Code::BadReference, relocation.name, detail);
    let offset = (relocation.value as usize).wrapping_add_signed(relocation.addend as isize);
    match relocation.kind {
        RelocationKind::Address if module.spans(relocation.value) => Ok(module.bias.wrapping_add(offset)),
        RelocationKind::Address => Err(refuse("its address lies outside the base")),
        RelocationKind::TpOffset => {
            let block = loader::tls_offset(module).ok_or_else(|| {
                refuse(
                    "its thread-local storage is allocated per thread; build the base with \
                     -ftls-model=initial-exec, or the patch as position-independent code",
                )
            })?;
            Ok(block.wrapping_add(offset))
        }
        RelocationKind::TlsModule if module.tls_module != 0 => Ok(module.tls_module),
        RelocationKind::TlsModule => Err(refuse("the base has no thread-local storage")),
        RelocationKind::TlsOffset => Ok(offset),
        RelocationKind::Carried => {
            let variable = carried.get(relocation.value as usize);
            let variable = variable.ok_or_else(|| refuse("the patch does not say which variable it is"))?;
            Ok(variable.storage.wrapping_add_signed(relocation.addend as isize))
        }
    }
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
