//! The instrumented modules of the process.

use core::ffi::{CStr, c_void};
use core::sync::atomic::{AtomicU32, Ordering};

use dsu_abi::elf::{PF_R, PF_W, PF_X, PT_LOAD};
use dsu_abi::note::{self, UnitNote};
use dsu_abi::patch::BUILD_ID_MAX;

use super::dlopen::pin;
use super::linker::{each_loaded, headers};
use super::process;
use super::range::Range;
use crate::arch;
use crate::callback::Callback;
use crate::text::Text;

/// More segments than a linker makes.
const SEGMENTS: usize = 16;
const PT_NOTE: u32 = 4;

/// A loaded segment: first address, end, `PF_*`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MappedSegment {
    start: usize,
    end: usize,
    pub(super) flags: u32,
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
    pub(crate) cookie: Option<Cookie>,
    /// The word of [`note::TYPE_RUNTIME`]; 0 without one.
    word: usize,
    segments: [MappedSegment; SEGMENTS],
}

/// By what to know one loading of a library: a word that it has with its copy of the runtime, and the number that was
/// written there when it was first seen. Loaded again, it has none at first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cookie {
    at: usize,
    number: u32,
}

impl Cookie {
    /// Whether the library is still loaded, wherever that is asked.
    pub(crate) fn stands(self) -> bool {
        process::word_is(self.at, self.number)
    }
}

/// The first cookie: one that nobody else's memory is likely to hold.
static NEXT_COOKIE: AtomicU32 = AtomicU32::new(0x4453_5500);

impl Module {
    pub(crate) fn build_id(&self) -> &[u8] {
        self.build_id.get(..self.build_id_len).unwrap_or(&[])
    }

    /// Its executable segments.
    pub(crate) fn code(&self) -> impl Iterator<Item = Range> {
        let code = self.segments.iter().filter(|s| s.flags & PF_X != 0);
        code.map(|s| Range { start: s.start, end: s.end })
    }

    /// Whether a reference with that address of the file can mean something of this module.
    pub(crate) fn spans(&self, address: u64) -> bool {
        let address = self.bias.wrapping_add(address as usize);
        self.segments.iter().any(|s| address >= s.start && address <= s.end && s.end != 0)
    }

    /// Address of `len` bytes at `address` of the file, if one segment with all of `flags` holds them.
    pub(super) fn locate(&self, address: u64, len: usize, flags: u32) -> Option<(usize, &MappedSegment)> {
        let at = self.bias.checked_add(usize::try_from(address).ok()?)?;
        let end = at.checked_add(len)?;
        let segment = self.segments.iter().find(|s| s.flags & flags == flags && at >= s.start && end <= s.end)?;
        Some((at, segment))
    }
}

/// Calls `each` for every instrumented module. Holds the dynamic linker's lock meanwhile: `each` only copies.
pub(crate) fn each_module(each: &mut dyn for<'m> Callback<&'m Module>) {
    each_loaded(&mut |info: &libc::dl_phdr_info| {
        let mut module = Module::bare(info);
        describe(info, &mut module);
        // What is being loaded is not relocated yet, and has no TLS.
        if module.dispatch != 0 && module.word().is_none_or(|word| word.load(Ordering::SeqCst) != 0) {
            module.cookie = module.own_cookie();
            each.call(&module);
        }
    });
}

/// Whether a copy of the runtime in another module serves this process already.
pub(crate) fn runtime_is_serving() -> bool {
    let mut serving = false;
    each_loaded(&mut |info: &libc::dl_phdr_info| {
        let mut module = Module::bare(info);
        describe(info, &mut module);
        serving |= module.serves();
    });
    serving
}

/// Offset of a module's TLS block from the thread pointer, the same in every thread; `None` unless it is static, or the
/// module has gone. A library stays loaded from here on: the linker has other locks around TLS than the one that
/// [`super::linker::while_loaded`] takes.
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
        module.pin()?;
    }
    let index = Index { module: module.tls_module, offset: 0 };
    // SAFETY: the x86-64 ABI's function for the address of a TLS block; the module stays loaded, its number is right.
    let block = unsafe { __tls_get_addr(&raw const index) } as usize;
    Some(block.wrapping_sub(arch::thread_pointer()))
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
    pub(super) fn is_program(&self) -> bool {
        self.path.as_bytes().is_empty()
    }

    /// Keeps a library loaded for the rest of the process's life; `None` if it has gone meanwhile.
    pub(super) fn pin(&self) -> Option<()> {
        (pin(self.path.as_c_str()?)? == self.bias).then_some(())
    }

    /// The word of its copy of the runtime, for as long as the linker's lock is held.
    fn word(&self) -> Option<&AtomicU32> {
        // SAFETY: `read_note` saw that it is aligned, in readable and writable memory of the module, which cannot be unloaded
        // while the linker's lock is held; each copy of the runtime accesses it atomically only.
        (self.word != 0).then(|| unsafe { &*(self.word as *const AtomicU32) })
    }

    /// Whether its copy of the runtime serves the process.
    fn serves(&self) -> bool {
        self.word().is_some_and(|word| word.load(Ordering::SeqCst) == note::SERVING)
    }

    /// Its cookie, made if it has none. The program, and what holds the copy of the runtime that serves, stay.
    fn own_cookie(&self) -> Option<Cookie> {
        let word = self.word().filter(|_| !self.is_program() && !self.serves())?;
        if word.load(Ordering::SeqCst) == note::LOADED {
            word.store(NEXT_COOKIE.fetch_add(1, Ordering::Relaxed), Ordering::SeqCst);
        }
        Some(Cookie { at: self.word, number: word.load(Ordering::SeqCst) })
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
            cookie: None,
            word: 0,
            segments: [MappedSegment::default(); SEGMENTS],
        }
    }

    fn map_segments(&mut self, headers: &[libc::Elf64_Phdr]) {
        let loads = headers.iter().filter(|h| h.p_type == PT_LOAD);
        for (segment, header) in self.segments.iter_mut().zip(loads) {
            let start = self.bias.wrapping_add(header.p_vaddr as usize);
            *segment = MappedSegment { start, end: start.wrapping_add(header.p_memsz as usize), flags: header.p_flags };
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
                self.word = word.map(|(at, _)| at).filter(|at| at.is_multiple_of(4)).unwrap_or(0);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A module of one segment, from `start` to `end`, with a note that points to `word`.
    fn noted(start: usize, end: usize, word: usize) -> Module {
        // SAFETY: it consists of integers and pointers, for which zero is a value.
        let mut module = Module::bare(&unsafe { core::mem::zeroed() });
        let [first, ..] = &mut module.segments;
        *first = MappedSegment { start, end, flags: PF_R | PF_W };
        let mut desc = [0; 8];
        let distance = word.wrapping_sub(desc.as_ptr().addr());
        desc.copy_from_slice(&distance.to_le_bytes());
        module.read_note(&note::ElfNote { owner: note::OWNER, kind: note::TYPE_RUNTIME, desc: &desc });
        module
    }

    #[test]
    fn a_word_that_is_not_wholly_inside_the_module_or_not_aligned_is_none() {
        for (word, expected) in [(0x1000, 0x1000), (0x1ffc, 0x1ffc), (0x1ffd, 0), (0x1ff9, 0), (0x2000, 0), (0xffc, 0)]
        {
            assert_eq!(noted(0x1000, 0x2000, word).word, expected, "{word:#x}");
        }
        assert_eq!(noted(0x1000, 0x1ffe, 0x1ff9).word, 0, "rounded up it would end behind the segment");
    }
}
