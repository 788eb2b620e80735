//! The linked object: its references to the base taken out of `.rela.dyn`, sections and checksum added.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use dsu_abi::patch::{CHECKSUM_OFFSET, MANIFEST_SECTION, RelocationKind, SECTION};
use object::elf;
use object::read::elf::{ElfFile64, FileHeader, Rela, SectionHeader, Sym};
use object::{Endianness, Object, ObjectSection, ObjectSymbol};
use sha2::{Digest, Sha256};

use crate::build::{Build, libraries};
use crate::patch::extract::Pieces;
use crate::problem::{Problem, Reason, Result};
use crate::toolchain::Tool;

/// Where the linker put a symbol.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    pub(super) address: u64,
    pub(super) size: u64,
}

/// What a word leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Address in the base, or TLS offset.
    Base(u64),
    /// Number of a variable that the patch adds.
    Carried(usize),
}

/// A word that the runtime fills.
#[derive(Debug, Clone)]
pub(super) struct TakenRelocation {
    pub(super) offset: u64,
    pub(super) addend: i64,
    pub(super) kind: RelocationKind,
    pub(super) target: Target,
    /// Symbol in the patch object.
    pub(super) symbol: String,
}

type Elf<'a> = ElfFile64<'a, Endianness>;

fn parse(bytes: &[u8]) -> Result<Elf<'_>> {
    Elf::parse(bytes).map_err(|e| Problem::new(Reason::Internal, "patch object", format!("does not parse: {e}")))
}

/// A relocation to neutralise: where its entry is in the file.
struct Entry {
    at: usize,
    relocation: TakenRelocation,
}

/// Collects the relocations against the base's symbols and against variables that are carried, and turns the
/// originals into `R_X86_64_NONE`.
pub(super) fn take_relocations(
    bytes: &mut [u8],
    pieces: &Pieces,
) -> Result<(Vec<TakenRelocation>, BTreeMap<String, Placed>)> {
    const NONE_AND_SYMBOL: std::ops::Range<usize> = 8..24;
    let file = parse(bytes)?;
    let entries = entries(&file, &targets(pieces))?;
    let placed = file.symbols().filter(|s| s.is_definition());
    let placed =
        placed.filter_map(|s| Some((s.name().ok()?.to_owned(), Placed { address: s.address(), size: s.size() })));
    let placed = placed.collect();
    for entry in &entries {
        // Elf64_Rela: offset (kept, for readers of the file), info (type and symbol), addend.
        if let Some(words) = bytes.get_mut(entry.at..).and_then(|b| b.get_mut(NONE_AND_SYMBOL)) {
            words.fill(0);
        }
    }
    Ok((entries.into_iter().map(|e| e.relocation).collect(), placed))
}

/// What the runtime fills words for, by symbol in the patch object.
fn targets(pieces: &Pieces) -> BTreeMap<&str, Target> {
    let base = pieces.base.iter().map(|(symbol, base)| (symbol.as_str(), Target::Base(base.value)));
    let carried = pieces.carried.iter().enumerate();
    base.chain(carried.map(|(number, c)| (pieces.symbols[&c.definition].as_str(), Target::Carried(number)))).collect()
}

fn entries(file: &Elf<'_>, targets: &BTreeMap<&str, Target>) -> Result<Vec<Entry>> {
    let endian = file.endian();
    let broken = |e: object::Error| Problem::new(Reason::Internal, "patch object", e.to_string());
    let sections = file.elf_header().sections(endian, file.data()).map_err(broken)?;
    let symbols = file.elf_dynamic_symbol_table();
    let mut out = Vec::new();
    for section in sections.iter().filter(|s| s.sh_flags(endian).0 & elf::SHF_ALLOC.0 != 0) {
        let Some((list, _)) = section.rela(endian, file.data()).map_err(broken)? else { continue };
        for (number, rela) in list.iter().enumerate() {
            let (kind, symbol) = (rela.r_type(endian, false).0, rela.symbol(endian, false));
            let name = match symbol.map(|index| symbols.symbol(index)) {
                Some(found) => found.and_then(|s| s.name(endian, symbols.strings())).map_err(broken)?,
                None => b"",
            };
            let name = String::from_utf8_lossy(name).into_owned();
            if kind == elf::R_X86_64_IRELATIVE.0 || kind == elf::R_X86_64_COPY.0 {
                let message = format!("needs relocation type {kind}, which a patch object cannot have");
                return Err(Problem::new(Reason::Relocation, name, message));
            }
            if let Some(&target) = targets.get(name.as_str()) {
                let at = section.sh_offset(endian) as usize + number * std::mem::size_of_val(rela);
                let offset = rela.r_offset(endian);
                let relocation = relocation(name, target, kind, offset, rela.r_addend(endian))?;
                out.push(Entry { at, relocation });
            }
        }
    }
    Ok(out)
}

fn relocation(symbol: String, target: Target, kind: u32, offset: u64, addend: i64) -> Result<TakenRelocation> {
    let addresses = [elf::R_X86_64_64.0, elf::R_X86_64_GLOB_DAT.0, elf::R_X86_64_JUMP_SLOT.0];
    let kind = match kind {
        k if addresses.contains(&k) && matches!(target, Target::Carried(_)) => RelocationKind::Carried,
        k if addresses.contains(&k) => RelocationKind::Address,
        k if k == elf::R_X86_64_TPOFF64.0 => RelocationKind::TpOffset,
        k if k == elf::R_X86_64_DTPMOD64.0 => RelocationKind::TlsModule,
        k if k == elf::R_X86_64_DTPOFF64.0 => RelocationKind::TlsOffset,
        other => {
            let message = format!("is reached by relocation type {other}, which the runtime does not do");
            return Err(Problem::new(Reason::Relocation, symbol, message));
        }
    };
    if !offset.is_multiple_of(8) {
        let message = format!("is stored at {offset:#x}, which is not 8-byte aligned");
        return Err(Problem::new(Reason::Relocation, symbol, message));
    }
    Ok(TakenRelocation { offset, addend, kind, target, symbol })
}

/// Every symbol left to the dynamic linker must be in a library of the base, or exported by the base itself.
pub(super) fn check_resolved(bytes: &[u8], base: &Build, pieces: &Pieces) -> Result<()> {
    let file = parse(bytes)?;
    let open = file.dynamic_symbols().filter(|s| s.is_undefined() && !s.is_weak());
    let names: BTreeSet<String> = open.filter_map(|s| s.name().ok().map(str::to_owned)).collect();
    let names = names.iter().filter(|n| !n.is_empty() && !pieces.base.contains_key(*n));
    libraries::check_provided(base, names.map(String::as_str))
}

/// The object with the tables and the manifest as sections, and its checksum.
pub(super) fn add_sections(bytes: &[u8], tables: &[u8], manifest: &[u8]) -> Result<Vec<u8>> {
    let unwritable =
        |e: std::io::Error| Problem::new(Reason::Unwritable, "temporary directory", format!("cannot be written: {e}"));
    let directory = tempfile::Builder::new().prefix("patchgen-").tempdir().map_err(unwritable)?;
    let path = |name: &str| directory.path().join(name);
    for (name, content) in [("in.so", bytes), ("tables", tables), ("manifest", manifest)] {
        fs::write(path(name), content).map_err(unwritable)?;
    }
    let argument = |section: &str, file: &str| format!("--add-section={section}={}", path(file).display());
    let tool = Tool::Objcopy.program();
    super::tools::run(
        Command::new(tool)
            .arg(argument(SECTION, "tables"))
            .arg(argument(MANIFEST_SECTION, "manifest"))
            .args([path("in.so"), path("out.so")]),
    )?;
    let mut out = fs::read(path("out.so")).map_err(unwritable)?;
    let at = parse(&out)?.section_by_name(SECTION).and_then(|s| s.file_range()).map(|(at, _)| at as usize);
    let missing = || Problem::new(Reason::Internal, SECTION, "was not added to the patch object");
    let at = at.ok_or_else(missing)? + CHECKSUM_OFFSET as usize;
    let sum = Sha256::digest(&out);
    out.get_mut(at..at + 32).ok_or_else(missing)?.copy_from_slice(&sum);
    Ok(out)
}
