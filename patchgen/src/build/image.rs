//! What a build puts into memory: the bytes of its allocated sections, the names of places in them, and what the dynamic
//! linker writes. Thread-local sections have no place of their own there; they are given one at [`TLS`].

use object::elf;
use object::read::elf::{Dyn, ElfFile64, ElfSection64, ProgramHeader, VersionTable};
use object::{
    Endianness, Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget, SectionFlags, SymbolIndex,
};
use serde::{Deserialize, Serialize};

type Elf<'a> = ElfFile64<'a, Endianness>;

/// Where the thread-local block begins: no address of a program is as high.
pub const TLS: u64 = 1 << 62;

/// Kinds of relocations that the dynamic linker does, with their numbers in the psABI.
pub mod kind {
    /// Symbol plus addend.
    pub const WORD: u32 = 1;
    /// The bytes of a variable of another module.
    pub const COPY: u32 = 5;
    /// Address of a symbol, in the GOT.
    pub const GLOB_DAT: u32 = 6;
    /// The same, for the PLT.
    pub const JUMP_SLOT: u32 = 7;
    /// Load bias plus addend.
    pub const RELATIVE: u32 = 8;
    /// Offset in the module's thread-local block.
    pub const DTPOFF: u32 = 17;
    /// Offset from the thread pointer.
    pub const TPOFF: u32 = 18;
    /// Descriptor of a thread-local variable.
    pub const TLSDESC: u32 = 36;
    /// What the resolver at load bias plus addend returns.
    pub const IRELATIVE: u32 = 37;
}

/// All of a build that is in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Allocated sections that are not empty, by address.
    pub sections: Vec<Section>,
    /// Symbols of `.symtab` that are defined.
    pub symbols: Vec<Symbol>,
    /// Names of source files, as `.symtab` has them.
    pub files: Vec<String>,
    /// What the dynamic linker writes, by place.
    pub slots: Vec<Slot>,
    /// `.dynsym`, its first entry included.
    pub dynamic: Vec<Dynamic>,
    /// Size of the thread-local block, rounded up as the thread pointer has it.
    pub tls_size: u64,
    /// `DT_FLAGS`, `DT_FLAGS_1` and the flags of `PT_GNU_STACK`.
    pub flags: [u64; 3],
}

/// An allocated section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Where it begins.
    pub address: u64,
    /// Its size in memory.
    pub size: u64,
    /// `sh_type`.
    pub kind: u32,
    /// Holds code.
    pub executable: bool,
    /// May be written to.
    pub writable: bool,
    /// Its bytes; none where memory begins as zero.
    pub bytes: Vec<u8>,
}

impl Section {
    /// The first address behind it.
    pub fn end(&self) -> u64 {
        self.address.saturating_add(self.size)
    }
}

/// What a symbol names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SymbolType {
    /// Code.
    Function,
    /// A variable or constant.
    Object,
    /// Nothing is said.
    Unknown,
    /// A number, not a place.
    Absolute,
}

/// A defined symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// Its value; a thread-local one is counted from [`TLS`].
    pub address: u64,
    /// Its size, 0 when not known.
    pub size: u64,
    /// What it names.
    pub kind: SymbolType,
    /// Index of its file among [`Image::files`], for local symbols.
    pub file: Option<u32>,
}

/// A place that the dynamic linker writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Where.
    pub place: u64,
    /// How, by number.
    pub kind: u32,
    /// Index in [`Image::dynamic`]; 0 for none.
    pub symbol: u32,
    /// Addend.
    pub addend: i64,
}

/// An entry of `.dynsym`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dynamic {
    /// Its name.
    pub name: String,
    /// Its version, empty when there is none.
    pub version: String,
    /// This build defines it.
    pub defined: bool,
    /// It may be missing, or be taken over.
    pub weak: bool,
    /// `st_type`.
    pub kind: u8,
    /// Its value.
    pub address: u64,
    /// Its size.
    pub size: u64,
}

/// Thread-local segment: address, and size rounded up to its alignment.
type Block = Option<(u64, u64)>;

pub(super) fn read(file: &Elf<'_>) -> Image {
    let endian = file.endian();
    let tls = file.elf_program_headers().iter().find(|p| p.p_type(endian) == elf::PT_TLS);
    let block: Block = tls.map(|p| {
        let align = p.p_align(endian).max(1);
        (p.p_vaddr(endian), p.p_memsz(endian).checked_next_multiple_of(align).unwrap_or(u64::MAX >> 8))
    });
    let sections = sections(file, block);
    let (symbols, files) = symbols(file);
    let mut slots = slots(file);
    slots.extend(relative_slots(file));
    for slot in &mut slots {
        slot.place = in_block(file, block, slot.place);
    }
    slots.sort_by_key(|slot| slot.place);
    Image {
        sections,
        symbols,
        files,
        slots,
        dynamic: dynamic(file),
        tls_size: block.map_or(0, |(_, size)| size),
        flags: flags(file),
    }
}

fn is_tls(section: &ElfSection64<'_, '_, Endianness>) -> bool {
    matches!(section.flags(), SectionFlags::Elf { sh_flags, .. } if sh_flags.0 & elf::SHF_TLS.0 != 0)
}

/// An address of the thread-local segment's initial bytes, as a place in [`TLS`].
fn in_block(file: &Elf<'_>, block: Block, address: u64) -> u64 {
    let Some((start, _)) = block else { return address };
    let mut initial = file.sections().filter(|s| is_tls(s) && s.file_range().is_some());
    match initial.any(|s| (s.address()..s.address() + s.size()).contains(&address)) {
        true => TLS + address.saturating_sub(start),
        false => address,
    }
}

fn sections(file: &Elf<'_>, block: Block) -> Vec<Section> {
    let mut out = Vec::new();
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else { continue };
        let flags = sh_flags.0;
        if flags & elf::SHF_ALLOC.0 == 0 || section.size() == 0 {
            continue;
        }
        let address = match block.filter(|_| is_tls(&section)) {
            Some((start, _)) => TLS + section.address().saturating_sub(start),
            None => section.address(),
        };
        let bytes = section.file_range().and_then(|_| section.data().ok()).unwrap_or_default().to_vec();
        out.push(Section {
            name: section.name().unwrap_or_default().to_owned(),
            address,
            size: section.size(),
            kind: section.elf_section_header().sh_type.get(file.endian()).0,
            executable: flags & elf::SHF_EXECINSTR.0 != 0,
            writable: flags & elf::SHF_WRITE.0 != 0,
            bytes,
        });
    }
    out.sort_by_key(|s| s.address);
    out
}

fn symbols(file: &Elf<'_>) -> (Vec<Symbol>, Vec<String>) {
    let (mut out, mut files, mut current) = (Vec::new(), Vec::<String>::new(), None);
    for symbol in file.symbols() {
        let raw = symbol.elf_symbol();
        let Ok(name) = symbol.name() else { continue };
        let (index, kind) = (raw.st_shndx.get(file.endian()), raw.st_type());
        if kind == elf::STT_FILE {
            // Behind the last object file the linker's own symbols come, under an empty name.
            current = (!name.is_empty()).then(|| {
                files.push(name.to_owned());
                files.len() as u32 - 1
            });
            continue;
        }
        if name.is_empty() || index == elf::SHN_UNDEF || kind == elf::STT_SECTION {
            continue;
        }
        let kind = match kind {
            _ if index == elf::SHN_ABS => SymbolType::Absolute,
            elf::STT_FUNC | elf::STT_GNU_IFUNC => SymbolType::Function,
            elf::STT_OBJECT | elf::STT_COMMON | elf::STT_TLS => SymbolType::Object,
            _ => SymbolType::Unknown,
        };
        let tls = raw.st_type() == elf::STT_TLS;
        let address = if tls { TLS.saturating_add(symbol.address()) } else { symbol.address() };
        let file = current.filter(|_| raw.st_bind() == elf::STB_LOCAL);
        out.push(Symbol { name: name.to_owned(), address, size: symbol.size(), kind, file });
    }
    (out, files)
}

fn slots(file: &Elf<'_>) -> Vec<Slot> {
    let mut out = Vec::new();
    for (place, relocation) in file.dynamic_relocations().into_iter().flatten() {
        let RelocationFlags::Elf { r_type } = relocation.flags() else { continue };
        let symbol = match relocation.target() {
            RelocationTarget::Symbol(index) => index.0 as u32,
            _ => 0,
        };
        out.push(Slot { place, kind: r_type.0, symbol, addend: relocation.addend() });
    }
    out
}

/// Relocations of `.relr.dyn`: an address, then bit maps of the 63 words behind it; addends are in place.
fn relative_slots(file: &Elf<'_>) -> Vec<Slot> {
    let mut out = Vec::new();
    let Some(section) = file.section_by_name(".relr.dyn") else { return out };
    let segments: Vec<(u64, &[u8])> = file
        .sections()
        .filter(|s| !is_tls(s) || s.file_range().is_some())
        .filter_map(|s| Some((s.address(), s.file_range().and_then(|_| s.data().ok())?)))
        .filter(|(address, _)| *address != 0)
        .collect();
    let word = |place: u64| -> i64 {
        let found = segments.iter().find(|(start, data)| (*start..start + data.len() as u64).contains(&place));
        let bytes = found.and_then(|(start, data)| data.get((place - start) as usize..)?.first_chunk::<8>());
        bytes.map_or(0, |b| i64::from_le_bytes(*b))
    };
    let mut add = |place: u64| out.push(Slot { place, kind: kind::RELATIVE, symbol: 0, addend: word(place) });
    let mut next = 0u64;
    for entry in section.data().unwrap_or_default().chunks_exact(8) {
        let entry = u64::from_le_bytes(entry.try_into().expect("a chunk has 8 bytes"));
        if entry & 1 == 0 {
            add(entry);
            next = entry.wrapping_add(8);
            continue;
        }
        for bit in (0..63).filter(|bit| entry >> (bit + 1) & 1 == 1) {
            add(next.wrapping_add(8 * bit));
        }
        next = next.wrapping_add(63 * 8);
    }
    out
}

fn dynamic(file: &Elf<'_>) -> Vec<Dynamic> {
    let (endian, data) = (file.endian(), file.data());
    let versions: Option<VersionTable<'_, _>> = file.elf_section_table().versions(endian, data).ok().flatten();
    let version = |index: SymbolIndex| -> Option<String> {
        let table = versions.as_ref()?;
        let found = table.version(table.version_index(endian, index).index()).ok()??;
        Some(String::from_utf8_lossy(found.name()).into_owned())
    };
    let nothing = Dynamic {
        name: String::new(),
        version: String::new(),
        defined: false,
        weak: false,
        kind: 0,
        address: 0,
        size: 0,
    };
    let mut out = vec![nothing.clone()];
    for symbol in file.dynamic_symbols() {
        let raw = symbol.elf_symbol();
        out.resize(out.len().max(symbol.index().0), nothing.clone());
        out.push(Dynamic {
            name: symbol.name().unwrap_or_default().to_owned(),
            version: version(symbol.index()).unwrap_or_default(),
            defined: raw.st_shndx.get(endian) != elf::SHN_UNDEF,
            weak: raw.st_bind() == elf::STB_WEAK,
            kind: raw.st_type().0,
            address: symbol.address(),
            size: symbol.size(),
        });
    }
    out
}

fn flags(file: &Elf<'_>) -> [u64; 3] {
    let (endian, mut out) = (file.endian(), [0; 3]);
    for header in file.elf_program_headers() {
        if let Ok(Some(entries)) = header.dynamic(endian, file.data()) {
            for entry in entries {
                match entry.d_tag(endian) {
                    elf::DT_FLAGS => out[0] |= entry.d_val(endian),
                    elf::DT_FLAGS_1 => out[1] |= entry.d_val(endian),
                    _ => {}
                }
            }
        }
        if header.p_type(endian) == elf::PT_GNU_STACK {
            out[2] = u64::from(header.p_flags(endian).0);
        }
    }
    out
}
