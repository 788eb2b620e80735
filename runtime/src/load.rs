//! From a verified patch file to an image: loaded by the dynamic linker, its references to the base filled in. Nothing of
//! the base has been touched when it is done; a failure leaves nothing behind.

use core::sync::atomic::{AtomicBool, AtomicPtr};

use dsu_abi::control;
use dsu_abi::elf::{PF_W, PF_X};
use dsu_abi::file::{self, PatchFile};
use dsu_abi::patch::{Hooks, PATCH_ESCAPES, PatchRelocation, RelocationKind};
use dsu_abi::wire::Code;

use crate::arch::{self, PAGE};
use crate::fail::{Fail, Result};
use crate::image::{Image, Persistent};
use crate::slow_path;
use crate::sys::dlopen::{self, SharedObject};
use crate::sys::memory::Table;
use crate::sys::modules::{Module, tls_offset};
use crate::sys::pinned::PinnedModule;
use crate::sys::range::Range;
use crate::sys::{Errno, process};
use crate::text::Text;
use crate::verify::{Checked, Verified, no_memory};

/// Why a module is not patched.
pub(crate) const UNLOADED: &str = "the module was unloaded meanwhile";

impl Verified {
    /// Checks it against the base, loads it, relocates it. `earlier` are the images of the module, latest first, of
    /// which one may be `active`.
    pub(crate) fn load(
        self,
        module: &Module,
        active: Option<&'static Image>,
        earlier: impl Iterator<Item = &'static Image> + Clone,
    ) -> Result<&'static Image> {
        let gone = || Fail::new(Code::WrongBuildId, self.wanted().as_str(), UNLOADED);
        let checked = PinnedModule::during(module, |base| self.check(base)).ok_or_else(gone)??;
        let opened = self.opened()?;
        let mut persistent = Table::with_capacity(opened.patch.carried_count()).map_err(no_memory)?;
        for variable in opened.patch.carried() {
            let variable = variable?;
            let (identity, shape, size) = (variable.identity, variable.shape, variable.size);
            // Its own storage is known when the object is loaded.
            let mut known = Persistent { identity, shape, size, storage: 0 };
            for image in earlier.clone() {
                let differs = !known.goes_on_from(image);
                // Patches that were taken back may have had another one of that name.
                if differs && active.is_some_and(|active| core::ptr::eq(active, image)) {
                    return Err(Fail::new(
                        Code::PersistentDiffers,
                        variable.name,
                        "its type, size or initial value differs",
                    ));
                }
            }
            persistent.push((known, variable.address)).map_err(no_memory)?;
        }
        let loaded = self.link(&opened)?;
        let mut kept = Table::with_capacity(persistent.as_slice().len()).map_err(no_memory)?;
        for (variable, address) in persistent.as_slice() {
            let own = loaded.bias.wrapping_add(*address as usize);
            let storage = if variable.storage == 0 { own } else { variable.storage };
            kept.push(Persistent { storage, ..*variable }).map_err(no_memory)?;
        }
        for relocation in opened.patch.relocations() {
            let relocation = relocation?;
            loaded.fill(relocation.offset, target(module, &relocation, kept.as_slice())?);
        }
        self.keep(module, checked, kept, loaded)
    }

    /// Hands the copy to the dynamic linker, by a name that also works from outside the process.
    fn link(&self, opened: &PatchFile<'_>) -> Result<SharedObject> {
        let path = Text::<64>::empty().with(b"/proc/").with_number(process::pid()).with(b"/task/");
        let path = path.with_number(process::thread_id()).with(b"/fd/").with_number(self.copy.fd.number() as u32);
        let name = path.as_c_str().ok_or_else(|| Fail::new(Code::OutOfResources, "", "path of the patch in memory"))?;
        if process::lstat(name).is_err() {
            return Err(Fail::new(Code::NoProc, "", ""));
        }
        let loaded = dlopen::open(name).ok_or_else(|| Fail::new(Code::Unresolved, dlopen::said().as_str(), ""))?;
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
        persistent: Table<Persistent>,
        loaded: SharedObject,
    ) -> Result<&'static Image> {
        let mut home = Table::with_capacity(1).map_err(no_memory)?;
        // SAFETY: the image owns the copy, and `State::forget_closed` drops it when it has forgotten all of the image.
        let file = file::open(unsafe { self.copy.lasting() })?;
        let patch = &file.patch;
        let bias = loaded.bias;
        let at = |address: u64| if address == 0 { 0 } else { bias.wrapping_add(address as usize) };
        let mut words = patch.control.wrapping_add(control::FUNCTIONS);
        for (replacement, function) in checked.replacements.as_mut_slice().iter_mut().zip(patch.functions()) {
            let function = function?;
            replacement.body = at(function.body);
            replacement.stub = at(function.stub);
            replacement.pair = (function.stub != 0).then(|| loaded.words(words));
            replacement.original = at(function.old);
            (replacement.function, replacement.unit) = (function.name, function.unit);
            words = words.wrapping_add(control::FUNCTION_SIZE);
        }
        let [code, whole] = extent(&file, bias);
        let threshold = (patch.control != 0).then(|| {
            loaded.fill(patch.control + control::THREAD, arch::thread_offset());
            loaded.fill(patch.control + control::GATE, slow_path::address());
            let [threshold, _] = loaded.words(patch.control + control::GENERATION);
            threshold
        });
        let Hooks { pre_apply, post_apply, pre_revert, post_revert } = patch.hooks;
        let hook = |address| at(address) as u64;
        // SAFETY: likewise; both are complete.
        let lasting = unsafe { (checked.replacements.lasting(), persistent.lasting()) };
        let image = Image {
            name: patch.name,
            checksum: self.checksum,
            module: module.bias,
            cookie: module.cookie,
            gone: AtomicBool::new(false),
            address_taken: patch.flags & PATCH_ESCAPES != 0,
            code,
            data: ((whole.end - whole.start) - (code.end - code.start)) as u64,
            hooks: Hooks {
                pre_apply: hook(pre_apply),
                post_apply: hook(post_apply),
                pre_revert: hook(pre_revert),
                post_revert: hook(post_revert),
            },
            persistent: lasting.1,
            threshold,
            reclaimed: AtomicBool::new(false),
            replacements: lasting.0,
            sorted: lasting.0.is_sorted_by_key(|replacement| core::ptr::from_ref(replacement.slot).addr()),
            text: checked.text,
            next: AtomicPtr::new(core::ptr::null_mut()),
            _memory: (loaded, self.copy, checked.replacements, persistent),
        };
        home.push(image).map_err(no_memory)?;
        home.leak().ok_or_else(|| no_memory(Errno::NOMEM))
    }
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

/// The value of a relocated word.
fn target(module: &Module, relocation: &PatchRelocation<'_>, persistent: &[Persistent]) -> Result<usize> {
    let refuse = |detail| Fail::new(Code::BadReference, relocation.name, detail);
    let offset = (relocation.value as usize).wrapping_add_signed(relocation.addend as isize);
    match relocation.kind {
        RelocationKind::Address if module.spans(relocation.value) => Ok(module.bias.wrapping_add(offset)),
        RelocationKind::Address => Err(refuse("its address lies outside the base")),
        RelocationKind::TpOffset => {
            let block = tls_offset(module).ok_or_else(|| {
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
            let variable = persistent.get(relocation.value as usize);
            let variable = variable.ok_or_else(|| refuse("the patch does not say which variable it is"))?;
            Ok(variable.storage.wrapping_add_signed(relocation.addend as isize))
        }
    }
}
