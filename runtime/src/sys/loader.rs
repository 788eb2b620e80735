//! The dynamic linker: which modules are loaded, their memory, and loading more.

use core::ffi::{CStr, c_int, c_void};
use core::sync::atomic::{AtomicBool, AtomicU16, AtomicU32, AtomicUsize, Ordering};

use dsu_abi::elf::{PF_R, PF_W, PF_X, PT_LOAD};
use dsu_abi::note::{self, UnitNote};
use dsu_abi::patch::BUILD_ID_MAX;

use dsu_abi::wire::Code;

use super::memory::{PAGE, TextSpan};
use super::process;
use crate::fail::Fail;
use crate::text::Text;

/// More segments than a linker makes.
const SEGMENTS: usize = 16;
const PT_NOTE: u32 = 4;

/// A loaded segment: first address, end, `PF_*`.
#[derive(Debug, Clone, Copy, Default)]
struct Range {
    start: usize,
    end: usize,
    flags: u32,
}

/// What a loaded module with instrumented units tells about itself, copied out of its memory.
#[derive(Clone, Copy)]
pub(crate) struct Module {
    /// Added to the file's addresses.
    pub(crate) bias: usize,
    /// Path, empty for the program itself.
    pub(crate) path: Text<512>,
    /// GNU build-id.
    build_id: [u8; BUILD_ID_MAX],
    build_id_len: usize,
    /// Bit 0: has units with dispatch `armed`; bit 1: with `always`.
    pub(crate) dispatch: u8,
    /// Sums over its units.
    pub(crate) functions: u32,
    pub(crate) points: u32,
    pub(crate) skipped: u32,
    /// Number for the TLS of the module, 0 without.
    pub(crate) tls_module: usize,
    /// Whether its TLS is at one offset from the thread pointer in every thread.
    static_tls: bool,
    /// By what to know that it is still there; `None` for what is never unloaded.
    pub(crate) mark: Option<Mark>,
    /// The word of [`note::TYPE_RUNTIME`]; 0 without one.
    word: usize,
    segments: [Range; SEGMENTS],
}

/// A word that a library has with its copy of the runtime, and the number written there when the library was first
/// seen. Loaded again, it has none at first: a mark stands for one loading of one library.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    at: usize,
    number: u32,
}

impl Mark {
    /// Whether the library is still loaded, wherever that is asked.
    pub(crate) fn stands(self) -> bool {
        process::word_is(self.at, self.number)
    }
}

/// The first mark: one that nobody else's memory is likely to hold.
static NEXT_MARK: AtomicU32 = AtomicU32::new(0x4453_5500);

impl Module {
    pub(crate) fn build_id(&self) -> &[u8] {
        self.build_id.get(..self.build_id_len).unwrap_or(&[])
    }

    /// Its executable segments.
    pub(crate) fn code(&self) -> impl Iterator<Item = crate::scan::Range> {
        let code = self.segments.iter().filter(|s| s.flags & PF_X != 0);
        code.map(|s| crate::scan::Range { start: s.start, end: s.end })
    }

    /// Whether a reference with that address of the file can mean something of this module.
    pub(crate) fn spans(&self, address: u64) -> bool {
        let address = self.bias.wrapping_add(address as usize);
        self.segments.iter().any(|s| address >= s.start && address <= s.end && s.end != 0)
    }

    /// Address of `len` bytes at `address` of the file, if one segment with all of `flags` holds them.
    fn locate(&self, address: u64, len: usize, flags: u32) -> Option<(usize, &Range)> {
        let at = self.bias.checked_add(usize::try_from(address).ok()?)?;
        let end = at.checked_add(len)?;
        let segment = self.segments.iter().find(|s| s.flags & flags == flags && at >= s.start && end <= s.end)?;
        Some((at, segment))
    }
}

/// A module that is not unloaded as long as this lives; the program itself and libraries without a [`Mark`] never are.
pub(crate) struct Held<'m>(&'m Module);

impl<'m> Held<'m> {
    /// Calls `step` while the module is held; `None` if it has gone meanwhile.
    pub(crate) fn during<T>(module: &'m Module, step: impl FnOnce(&Self) -> T) -> Option<T> {
        if module.mark.is_none() && !module.is_program() {
            pin(module)?;
        }
        let mut step = Some(step);
        let mut done = None;
        let stands = || module.mark.is_none_or(Mark::stands);
        while_loaded(module.mark.is_some(), &stands, &mut || done = step.take().map(|step| step(&Self(module))));
        done
    }

    /// Readable memory at an address of the file.
    pub(crate) fn bytes(&self, address: u64, len: usize) -> Option<&'static [u8]> {
        let (at, _) = self.0.locate(address, len, PF_R)?;
        // SAFETY: inside a readable segment of a module that is held. It is used for text and stubs, which nobody writes
        // but the runtime's own thread, the only one to read them.
        Some(unsafe { core::slice::from_raw_parts(at as *const u8, len) })
    }

    /// A slot: an aligned word of writable memory.
    pub(crate) fn slot(&self, address: u64) -> Option<&'static AtomicUsize> {
        let (at, _) = self.0.locate(address, size_of::<usize>(), PF_W)?;
        // SAFETY: inside a writable segment, aligned; everyone else only loads it, whole. The runtime comes back to it in
        // `while_loaded` only.
        at.is_multiple_of(8).then(|| unsafe { &*(at as *const AtomicUsize) })
    }

    /// The two bytes of text to arm, aligned, so that one store changes both.
    pub(crate) fn entry(&self, address: u64) -> Option<&'static AtomicU16> {
        let (at, _) = self.0.locate(address, size_of::<u16>(), PF_R | PF_X)?;
        // SAFETY: inside an executable segment, aligned; used in `while_loaded` only, and stored to between
        // `set_text_writable(true)` and `(false)`; cores fetch it whole, being aligned in one cache line.
        at.is_multiple_of(2).then(|| unsafe { &*(at as *const AtomicU16) })
    }

    /// Runtime address of an address of the file, in executable memory.
    pub(crate) fn code(&self, address: u64) -> Option<usize> {
        self.0.locate(address, 1, PF_X).map(|(at, _)| at)
    }

    /// The pages of the segment that holds the addresses from `first` to `last`, for changing their protection.
    pub(crate) fn text_span(&self, first: usize, last: usize) -> Option<TextSpan> {
        let relative = first.wrapping_sub(self.0.bias) as u64;
        let (_, segment) = self.0.locate(relative, last.checked_sub(first)?.checked_add(2)?, PF_X)?;
        let flag = |flag, protection| if segment.flags & flag == 0 { 0 } else { protection };
        let protection = flag(PF_R, libc::PROT_READ) | flag(PF_W, libc::PROT_WRITE) | flag(PF_X, libc::PROT_EXEC);
        let start = first & !(PAGE - 1);
        let end = last.checked_add(2)?.checked_next_multiple_of(PAGE)?;
        Some(TextSpan { start, len: end - start, protection })
    }
}

/// Calls `each` for every instrumented module. Holds the dynamic linker's lock meanwhile: `each` only copies.
pub(crate) fn each_module(each: &mut dyn FnMut(&Module)) {
    each_loaded(&mut |info| {
        let mut module = Module::bare(info);
        describe(info, &mut module);
        // What is being loaded is not relocated yet, and has no TLS.
        if module.dispatch != 0 && module.word().is_none_or(|word| word.load(Ordering::SeqCst) != 0) {
            module.mark = module.marked();
            each(&module);
        }
    });
}

/// Whether a copy of the runtime in another module serves this process already.
pub(crate) fn runtime_is_serving() -> bool {
    let mut serving = false;
    each_loaded(&mut |info| {
        let mut module = Module::bare(info);
        describe(info, &mut module);
        serving |= module.serves();
    });
    serving
}

/// Offset of a module's TLS block from the thread pointer, the same in every thread; `None` unless it is static, or the
/// module has gone. A library stays loaded from here on: the linker has other locks around TLS than the one that
/// [`while_loaded`] takes.
pub(crate) fn tls_offset(module: &Module) -> Option<usize> {
    #[repr(C)]
    struct Index {
        module: usize,
        offset: usize,
    }
    unsafe extern "C" {
        fn __tls_get_addr(index: *const Index) -> *mut c_void;
    }
    if module.tls_module == 0 || !module.static_tls {
        return None;
    }
    if !module.is_program() {
        pin(module)?;
    }
    let index = Index { module: module.tls_module, offset: 0 };
    // SAFETY: the x86-64 ABI's function for the address of a TLS block; the module stays loaded, its number is right.
    let block = unsafe { __tls_get_addr(&raw const index) } as usize;
    Some(block.wrapping_sub(process::thread_pointer()))
}

/// Keeps a library loaded for the rest of the process's life; `None` if it has gone meanwhile.
fn pin(module: &Module) -> Option<()> {
    let path = module.path.as_c_str()?;
    let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
    // SAFETY: finds a module that is loaded, loads nothing and runs no code of its.
    let handle = unsafe { libc::dlopen(path.as_ptr(), flags) };
    let loaded = Loaded::from_handle(handle)?;
    (loaded.bias == module.bias).then_some(())
}

/// The dynamic linker's lock is taken for a step: a fork that meets it waits.
static HOLDING: AtomicBool = AtomicBool::new(false);

/// Whether a fork would copy a locked linker.
pub(crate) fn is_holding() -> bool {
    HOLDING.load(Ordering::SeqCst)
}

/// In the child of a fork: whether it did.
pub(crate) fn was_holding() -> bool {
    HOLDING.swap(false, Ordering::SeqCst)
}

/// Does `step` if `stands`. Where a library may be unloaded, this is done with the lock of the linker that it unmaps
/// with, and that `dl_iterate_phdr` takes (glibc's elf/dl-close.c); no code of a library runs under that lock.
pub(crate) fn while_loaded(may_go: bool, stands: &dyn Fn() -> bool, step: &mut dyn FnMut()) {
    if !may_go {
        return step();
    }
    HOLDING.store(true, Ordering::SeqCst);
    let mut first = true;
    each_loaded(&mut |_| {
        if core::mem::take(&mut first) && stands() {
            step();
        }
    });
    HOLDING.store(false, Ordering::SeqCst);
}

/// The program headers of a module.
fn headers(info: &libc::dl_phdr_info) -> Option<&[libc::Elf64_Phdr]> {
    // SAFETY: the dynamic linker's own table of the module, which cannot be unloaded while it holds its lock.
    (!info.dlpi_phdr.is_null()).then(|| unsafe { core::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) })
}

/// Who is told of loaded modules.
type Each<'e> = &'e mut dyn FnMut(&libc::dl_phdr_info);

/// Calls `each` for every loaded module, holding the dynamic linker's lock.
fn each_loaded(mut each: Each<'_>) {
    extern "C" fn visit(info: *mut libc::dl_phdr_info, _size: usize, each: *mut c_void) -> c_int {
        // SAFETY: the dynamic linker passes a valid structure; `each` is the one given below, alive and borrowed by
        // nobody else.
        let (info, each) = unsafe { (&*info, &mut *each.cast::<Each<'_>>()) };
        each(info);
        0
    }
    // SAFETY: `visit` is for a pointer to an `Each`, which lives until the call returns.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut each).cast()) };
}

/// Reads a module's headers and notes from its memory.
fn describe(info: &libc::dl_phdr_info, module: &mut Module) {
    let Some(headers) = headers(info) else { return };
    module.map_segments(headers);
    for header in headers.iter().filter(|h| h.p_type == PT_NOTE) {
        if let Some((at, _)) = module.locate(header.p_vaddr, header.p_memsz as usize, PF_R) {
            // SAFETY: inside a readable segment of a module that cannot be unloaded while the lock is held.
            let notes = unsafe { core::slice::from_raw_parts(at as *const u8, header.p_memsz as usize) };
            for note in note::notes(notes, header.p_align) {
                module.read_note(&note);
            }
        }
    }
    if !info.dlpi_name.is_null() {
        // SAFETY: a NUL-terminated string of the dynamic linker, valid while it holds its lock.
        module.path = Text::from_c_str(unsafe { CStr::from_ptr(info.dlpi_name) });
    }
    module.static_tls = module.is_program() || has_static_tls(headers, module);
}

impl Module {
    /// Whether it cannot be unloaded.
    fn is_program(&self) -> bool {
        self.path.as_bytes().is_empty()
    }

    /// The word of its copy of the runtime, for as long as the linker's lock is held.
    fn word(&self) -> Option<&AtomicU32> {
        // SAFETY: an aligned word of writable memory of the module, only ever accessed atomically.
        (self.word != 0).then(|| unsafe { &*(self.word as *const AtomicU32) })
    }

    /// Whether its copy of the runtime serves the process.
    fn serves(&self) -> bool {
        self.word().is_some_and(|word| word.load(Ordering::SeqCst) == note::SERVING)
    }

    /// Its mark, made if it has none. The program, and what holds the copy of the runtime that serves, stay.
    fn marked(&self) -> Option<Mark> {
        let word = self.word().filter(|_| !self.is_program() && !self.serves())?;
        if word.load(Ordering::SeqCst) == note::LOADED {
            word.store(NEXT_MARK.fetch_add(1, Ordering::Relaxed), Ordering::SeqCst);
        }
        Some(Mark { at: self.word, number: word.load(Ordering::SeqCst) })
    }

    /// A module of which nothing is known but where it is.
    #[inline(never)]
    fn bare(info: &libc::dl_phdr_info) -> Self {
        Self {
            bias: info.dlpi_addr as usize,
            path: Text::empty(),
            build_id: [0; BUILD_ID_MAX],
            build_id_len: 0,
            dispatch: 0,
            functions: 0,
            points: 0,
            skipped: 0,
            tls_module: info.dlpi_tls_modid,
            static_tls: false,
            mark: None,
            word: 0,
            segments: [Range::default(); SEGMENTS],
        }
    }

    fn map_segments(&mut self, headers: &[libc::Elf64_Phdr]) {
        let loads = headers.iter().filter(|h| h.p_type == PT_LOAD);
        for (range, header) in self.segments.iter_mut().zip(loads) {
            let start = self.bias.wrapping_add(header.p_vaddr as usize);
            *range = Range { start, end: start.wrapping_add(header.p_memsz as usize), flags: header.p_flags };
        }
    }

    fn read_note(&mut self, note: &note::ElfNote<'_>) {
        match (note.owner, note.kind) {
            (note::GNU, note::TYPE_BUILD_ID) if note.desc.len() <= self.build_id.len() => {
                for (to, from) in self.build_id.iter_mut().zip(note.desc) {
                    *to = *from;
                }
                self.build_id_len = note.desc.len();
            }
            (owner, note::TYPE_UNIT) if owner == note::OWNER => {
                let Ok(unit) = UnitNote::parse(note.desc) else { return };
                self.dispatch |= 1 << unit.dispatch as u8;
                self.functions = self.functions.saturating_add(unit.functions);
                self.points = self.points.saturating_add(unit.points);
                self.skipped = self.skipped.saturating_add(unit.skipped);
            }
            (owner, note::TYPE_RUNTIME) if owner == note::OWNER => {
                let Some(distance) = note.desc.first_chunk::<8>() else { return };
                let word = note.desc.as_ptr().addr().wrapping_add_signed(isize::from_le_bytes(*distance));
                let word = self.locate(word.wrapping_sub(self.bias) as u64, 4, PF_R | PF_W);
                self.word = word.map_or(0, |(at, _)| at).next_multiple_of(4);
            }
            _ => {}
        }
    }
}

/// Whether a library promises (`DF_STATIC_TLS`) that its TLS is at one offset in every thread.
fn has_static_tls(headers: &[libc::Elf64_Phdr], module: &Module) -> bool {
    const PT_DYNAMIC: u32 = 2;
    const DT_FLAGS: u64 = 30;
    const DF_STATIC_TLS: u64 = 0x10;
    let Some(header) = headers.iter().find(|h| h.p_type == PT_DYNAMIC) else { return false };
    let Some((at, _)) = module.locate(header.p_vaddr, header.p_memsz as usize, PF_R) else { return false };
    // SAFETY: the module's dynamic section, inside a readable segment that stays while the lock is held.
    let entries = unsafe { core::slice::from_raw_parts(at as *const [u64; 2], header.p_memsz as usize / 16) };
    entries.iter().any(|[tag, value]| *tag == DT_FLAGS && value & DF_STATIC_TLS != 0)
}

/// A module loaded by [`open`], closed again when dropped.
pub(crate) struct Loaded {
    handle: *mut c_void,
    /// Added to the file's addresses.
    pub(crate) bias: usize,
}

impl Loaded {
    fn from_handle(handle: *mut c_void) -> Option<Self> {
        if handle.is_null() {
            return None;
        }
        // First field of the public `struct link_map` (link.h).
        let mut map: *const usize = core::ptr::null();
        // SAFETY: a handle dlopen has just returned; writes one pointer, to a structure whose first word is l_addr.
        unsafe {
            let found = libc::dlinfo(handle, libc::RTLD_DI_LINKMAP, (&raw mut map).cast());
            if found != 0 || map.is_null() {
                libc::dlclose(handle);
                return None;
            }
            Some(Self { handle, bias: *map })
        }
    }

    /// Whether its memory at an address of the file holds `bytes`. The address must lie in a readable segment of
    /// the file it was loaded from.
    pub(crate) fn has(&self, address: u64, bytes: &[u8]) -> bool {
        let at = self.bias.wrapping_add(address as usize);
        // SAFETY: the dynamic linker mapped every segment of the file it said it loaded.
        unsafe { core::slice::from_raw_parts(at as *const u8, bytes.len()) == bytes }
    }

    /// Two words at an address of the file that was checked to be in a writable segment and aligned; for an object that
    /// stays loaded.
    pub(crate) fn words(&self, address: u64) -> &'static [AtomicUsize; 2] {
        let at = self.bias.wrapping_add(address as usize);
        // SAFETY: `dsu_abi::file::PatchFile::check_tables` vouches for the address (a control block has two words from
        // each of those asked for on); everyone else only loads them, whole.
        unsafe { &*(at as *const [AtomicUsize; 2]) }
    }

    /// Stores a word at an address of the file that was checked to be in a writable segment and aligned.
    pub(crate) fn fill(&self, address: u64, value: usize) {
        let at = self.bias.wrapping_add(address as usize);
        // SAFETY: `dsu_abi::file::PatchFile::check_tables` vouches for the address; no code of the patch has run.
        unsafe { (*(at as *const AtomicUsize)).store(value, Ordering::Relaxed) };
    }
}

impl Drop for Loaded {
    #[inline(never)]
    fn drop(&mut self) {
        // SAFETY: the handle is open, and closed here only.
        unsafe { libc::dlclose(self.handle) };
    }
}

/// Loads a shared object with all its symbols resolved, or refuses with what the dynamic linker said.
pub(crate) fn open(path: &CStr) -> Result<Loaded, Fail> {
    // SAFETY: the object's constructors run on this thread; patchgen makes patches without any.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    Loaded::from_handle(handle).ok_or_else(|| {
        // SAFETY: returns null or a NUL-terminated string of this thread, valid until its next dl call.
        let message = unsafe {
            let message = libc::dlerror();
            if message.is_null() { c"" } else { CStr::from_ptr(message) }
        };
        Fail::new(Code::Unresolved, Text::<512>::from_c_str(message).as_str(), "")
    })
}

/// Keeps the module this code is in loaded: its thread must never lose its text. Returns whether it is the program
/// itself, which cannot be unloaded anyway.
pub(crate) fn keep_module(inside: *const c_void) -> bool {
    // SAFETY: dladdr fills the local; the path it returns is the dynamic linker's. With NOLOAD, dlopen finds a
    // module that is loaded (ours) and runs no code of it.
    unsafe {
        let mut info: libc::Dl_info = core::mem::zeroed();
        if libc::dladdr(inside, &raw mut info) == 0 || info.dli_fname.is_null() {
            return false;
        }
        let program = libc::getauxval(libc::AT_PHDR) as usize;
        if program.wrapping_sub(info.dli_fbase as usize) < PAGE {
            return true;
        }
        libc::dlopen(info.dli_fname, libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE);
        false
    }
}

/// Calls a function of a patch that takes nothing and returns an `int`.
pub(crate) fn call_hook(address: u64) -> c_int {
    // SAFETY: `dsu_abi::file::PatchFile::check_tables` saw that it is code of the patch; patchgen, whose checksum the
    // file has, that it is a function of this type.
    unsafe { core::mem::transmute::<usize, extern "C" fn() -> c_int>(address as usize)() }
}
