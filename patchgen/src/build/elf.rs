//! An instrumented ELF file as a [`Build`].

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use dsu_abi::{symbols, unit};
use object::elf;
use object::read::elf::{Dyn, ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSection, ObjectSegment, ObjectSymbol, SymbolFlags, SymbolKind};
use serde::Deserialize;

use super::{Build, ModuleKind, SymbolLocation, Unit, UnitSymbol, extent, image, names};
use crate::arch::x86_64::{AFTER, BEFORE};
use crate::problem::{Problem, Reason, Result};

type Elf<'a> = ElfFile64<'a, Endianness>;

/// The record's metadata, as far as it matters here.
#[derive(Deserialize)]
struct RecordMetadata {
    name: String,
    #[serde(default)]
    directory: String,
    #[serde(default)]
    producer: String,
    #[serde(default)]
    flags: Vec<String>,
    #[serde(default)]
    stamps: Vec<String>,
    #[serde(default)]
    skipped: Vec<SkippedFunction>,
    #[serde(default)]
    points: Vec<SwitchingFunction>,
    #[serde(default)]
    waits: Vec<SwitchingFunction>,
}

#[derive(Deserialize)]
struct SwitchingFunction {
    function: String,
}

#[derive(Deserialize)]
struct SkippedFunction {
    function: String,
    reason: String,
}

/// Reads the file's bytes; `shown` names it in messages.
pub(super) fn read(bytes: &[u8], shown: &str, name: &str) -> Result<Build> {
    let file = open(bytes, shown)?;
    let kind = module_kind(&file, bytes, shown)?;
    let mut units = units(&file, shown)?;
    let build_id = file.build_id().ok().flatten().map(<[u8]>::to_vec);
    let build_id = build_id.ok_or_else(|| Problem::new(Reason::NoBuildId, shown, "has no GNU build-id"))?;
    let (soname, needed, run_path) = dynamic(&file);
    let (defined, exported) = defined(&file);
    let names = names::read(&file, &mut units, &defined, |units| entries(&file, units));
    let entries = entries(&file, &units);
    Ok(Build {
        name: name.to_owned(),
        kind,
        build_id,
        machine: elf::EM_X86_64.0,
        soname,
        needed,
        run_path,
        origin: Default::default(),
        tls: file.elf_program_headers().iter().any(|p| p.p_type(file.endian()) == elf::PT_TLS),
        defined,
        exported,
        names,
        imported: imported(&file),
        sizes: extent::sizes(&file, &units, &entries),
        split: extent::split(&file, &units),
        image: image::read(&file),
        units,
        entries,
    })
}

/// Parses the header; tells what it is when it is not an ELF program.
pub(crate) fn open<'a>(bytes: &'a [u8], shown: &str) -> Result<Elf<'a>> {
    let problem = |reason, message: &str| Err(Problem::new(reason, shown, message));
    if bytes.starts_with(b"BC\xc0\xde") {
        return problem(Reason::LtoObject, "is LLVM bitcode, not a program");
    }
    if bytes.starts_with(b"!<arch>\n") || bytes.starts_with(b"!<thin>\n") {
        return problem(Reason::NotLinked, "is an archive of object files");
    }
    if !bytes.starts_with(&elf::ELFMAG) {
        return problem(Reason::NotABuild, "is neither an ELF file nor a .dsubase");
    }
    if bytes.len() < 64 {
        return problem(Reason::Damaged, "ends inside its ELF header");
    }
    let machine = u16::from_le_bytes([bytes[18], bytes[19]]);
    if bytes[4] != elf::ELFCLASS64.0 || bytes[5] != elf::ELFDATA2LSB.0 || machine != elf::EM_X86_64.0 {
        return problem(Reason::UnsupportedMachine, "is not an x86-64 ELF file");
    }
    let parsed = Elf::parse(bytes);
    let file = parsed.map_err(|e| Problem::new(Reason::Damaged, shown, format!("is not a complete ELF file: {e}")))?;
    if file.elf_header().e_type(file.endian()) == elf::ET_REL {
        let lto = file.sections().any(|s| s.name().is_ok_and(|n| n.starts_with(".gnu.lto_") || n == ".llvm.lto"));
        let (reason, what) = match lto {
            true => (Reason::LtoObject, "is an LTO object file"),
            false => (Reason::NotLinked, "is an object file, not a linked program"),
        };
        return problem(reason, what);
    }
    check_complete(&file, bytes, shown)?;
    Ok(file)
}

/// Every section and segment must lie inside the file: later steps then never meet missing bytes.
fn check_complete(file: &Elf<'_>, bytes: &[u8], shown: &str) -> Result<()> {
    let size = bytes.len() as u64;
    let inside =
        |range: Option<(u64, u64)>| range.is_none_or(|(at, len)| at.checked_add(len).is_some_and(|e| e <= size));
    let whole =
        file.sections().all(|s| inside(s.file_range())) && file.segments().all(|s| inside(Some(s.file_range())));
    match whole {
        true => Ok(()),
        false => Err(Problem::new(Reason::Damaged, shown, "is cut short: a section lies behind its end")),
    }
}

fn dynamic_entries(file: &Elf<'_>) -> Vec<(i64, u64)> {
    let (endian, data) = (file.endian(), file.data());
    let mut out = Vec::new();
    for header in file.elf_program_headers() {
        if let Ok(Some(entries)) = header.dynamic(endian, data) {
            out.extend(entries.iter().map(|d| (d.d_tag(endian).0, d.d_val(endian))));
        }
    }
    out
}

fn module_kind(file: &Elf<'_>, _bytes: &[u8], shown: &str) -> Result<ModuleKind> {
    const DF_1_PIE: u64 = 0x0800_0000;
    let endian = file.endian();
    let interpreter = file.elf_program_headers().iter().any(|p| p.p_type(endian) == elf::PT_INTERP);
    let entries = dynamic_entries(file);
    let pie = entries.iter().any(|&(tag, value)| tag == elf::DT_FLAGS_1.0 && value & DF_1_PIE != 0);
    let fixed = file.elf_header().e_type(endian) == elf::ET_EXEC;
    if entries.is_empty() || ((pie || fixed) && !interpreter) {
        return Err(Problem::new(Reason::StaticExecutable, shown, "is a static executable"));
    }
    Ok(match (fixed, pie || interpreter) {
        (true, _) => ModuleKind::Fixed,
        (false, true) => ModuleKind::Pie,
        (false, false) => ModuleKind::Library,
    })
}

/// Soname, needed libraries and search path, from `.dynamic`.
fn dynamic(file: &Elf<'_>) -> (Option<String>, Vec<String>, Vec<String>) {
    let entries = dynamic_entries(file);
    let table = file.section_by_name(".dynstr").and_then(|s| s.data().ok()).unwrap_or_default();
    let strings = |wanted: &[i64]| -> Vec<String> {
        let found = entries.iter().filter(|(tag, _)| wanted.contains(tag));
        found
            .filter_map(|&(_, at)| dsu_abi::cursor::string(table, u32::try_from(at).ok()?).ok())
            .map(str::to_owned)
            .collect()
    };
    let paths = strings(&[elf::DT_RUNPATH.0, elf::DT_RPATH.0]);
    let run_path = paths.iter().flat_map(|p| p.split(':')).filter(|p| !p.is_empty()).map(str::to_owned).collect();
    (strings(&[elf::DT_SONAME.0]).pop(), strings(&[elf::DT_NEEDED.0]), run_path)
}

fn defined(file: &Elf<'_>) -> (BTreeMap<String, SymbolLocation>, Vec<String>) {
    let is_definition = |s: &object::read::elf::ElfSymbol64<'_, '_, Endianness>| {
        let named = matches!(s.kind(), SymbolKind::Text | SymbolKind::Data | SymbolKind::Tls | SymbolKind::Unknown)
            || s.elf_symbol().st_type() == elf::STT_GNU_IFUNC;
        // What the `object` crate calls a definition leaves thread-local variables out.
        let tls = s.elf_symbol().st_type() == elf::STT_TLS && !s.is_undefined();
        // The linker makes hidden symbols local, and they are still those that all objects of the program mean.
        let hidden = matches!(s.elf_symbol().st_visibility(), elf::STV_HIDDEN | elf::STV_INTERNAL);
        (s.is_definition() || tls) && (s.is_global() || hidden) && named
    };
    let mut defined = BTreeMap::new();
    let mut exported = BTreeSet::new();
    for symbol in file.symbols().chain(file.dynamic_symbols()).filter(is_definition) {
        let tls = symbol.kind() == SymbolKind::Tls;
        // Calling a resolver instead of what it resolves to would be wrong: leave those to the dynamic linker.
        let ifunc = symbol.elf_symbol().st_type() == elf::STT_GNU_IFUNC;
        if let Ok(name) = symbol.name()
            && !ifunc
        {
            defined.entry(name.to_owned()).or_insert(SymbolLocation { address: symbol.address(), tls });
        }
    }
    for symbol in file.dynamic_symbols().filter(is_definition) {
        let visible = !matches!(symbol.flags(), SymbolFlags::None);
        exported.extend(symbol.name().ok().filter(|_| visible).map(str::to_owned));
    }
    (defined, exported.into_iter().collect())
}

fn imported(file: &Elf<'_>) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for symbol in file.dynamic_symbols().filter(|s| s.is_undefined()) {
        if let Ok(name) = symbol.name() {
            out.insert(name.to_owned(), String::new());
        }
    }
    if let Ok(imports) = file.imports() {
        for import in imports.flatten() {
            if let object::read::NameOrOrdinal::Name(name) = import.name() {
                let library = String::from_utf8_lossy(import.library()).into_owned();
                out.insert(String::from_utf8_lossy(name).into_owned(), library);
            }
        }
    }
    out
}

/// All parts of a section of one name, decompressed.
fn section<'a>(file: &Elf<'a>, name: &str, shown: &str) -> Result<Option<Cow<'a, [u8]>>> {
    let Some(section) = file.section_by_name(name) else { return Ok(None) };
    let data = section.uncompressed_data();
    data.map(Some).map_err(|e| Problem::new(Reason::Damaged, shown, format!("section `{name}` cannot be read: {e}")))
}

fn units(file: &Elf<'_>, shown: &str) -> Result<Vec<Unit>> {
    let records = section(file, unit::SECTION, shown)?;
    let tables = section(file, symbols::SECTION, shown)?;
    let (Some(records), Some(tables)) = (records, tables) else {
        let message = "carries no record of its code: it was not built with dsu-cc, or it was stripped";
        return Err(Problem::new(Reason::NotInstrumented, shown, message));
    };
    let damaged = |what: String| Problem::new(Reason::Damaged, shown, what);
    let mut by_id: BTreeMap<u64, Vec<UnitSymbol>> = BTreeMap::new();
    for table in symbols::tables(&tables) {
        let table = table.map_err(|e| damaged(e.to_string()))?;
        let list: std::result::Result<Vec<_>, _> = table.symbols().map(|s| s.map(|s| owned(&s))).collect();
        by_id.insert(table.unit_id, list.map_err(|e| damaged(e.to_string()))?);
    }
    let mut units = Vec::new();
    for record in unit::records(&records) {
        let record = record.map_err(|e| damaged(e.to_string()))?;
        let metadata: RecordMetadata = serde_json::from_str(record.metadata)
            .map_err(|e| damaged(format!("metadata of a unit cannot be read: {e}")))?;
        let symbols = by_id.remove(&record.id);
        let missing = || damaged(format!("unit `{}` has no symbol table", metadata.name));
        units.push(Unit {
            id: record.id,
            symbols: symbols.ok_or_else(missing)?,
            name: metadata.name.clone(),
            directory: metadata.directory,
            producer: metadata.producer,
            flags: metadata.flags,
            build_timestamps: metadata.stamps,
            skipped: metadata.skipped.into_iter().map(|s| (s.function, s.reason)).collect(),
            points: metadata.points.into_iter().chain(metadata.waits).map(|p| p.function).collect(),
            bitcode: record.bitcode.to_vec(),
            bitcode_size: record.bitcode_size,
        });
    }
    Ok(units)
}

fn owned(symbol: &symbols::Symbol<'_>) -> UnitSymbol {
    UnitSymbol {
        name: symbol.name.to_owned(),
        kind: symbol.kind as u8,
        dispatch: symbol.dispatch as u8,
        linkage: symbol.linkage as u8,
        address: symbol.address,
        slot: symbol.slot,
        function_id: symbol.function_id,
        overridden: false,
    }
}

fn entries(file: &Elf<'_>, units: &[Unit]) -> BTreeMap<u64, Vec<u8>> {
    let segments: Vec<(u64, &[u8])> = file.segments().filter_map(|s| Some((s.address(), s.data().ok()?))).collect();
    let mut out = BTreeMap::new();
    for symbol in units.iter().flat_map(|u| &u.symbols).filter(|s| s.is_function() && s.address >= BEFORE) {
        let from = symbol.address - BEFORE;
        let found = segments.iter().find_map(|(base, data)| {
            let start = usize::try_from(from.checked_sub(*base)?).ok()?;
            let whole = data.get(start..start + (BEFORE + AFTER) as usize);
            // The last function of a segment may be shorter than what is kept of others.
            whole.or_else(|| data.get(start..).filter(|tail| tail.len() > BEFORE as usize))
        });
        out.extend(found.map(|bytes| (symbol.address, bytes.to_vec())));
    }
    out
}
