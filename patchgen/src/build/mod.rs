//! Builds as they come in: an instrumented ELF file, or a `.dsubase` lifted out of one. Both give a [`Build`],
//! which holds everything later steps need; nothing reads the file again.

mod container;
mod elf;
mod extent;
pub mod git;
pub mod image;
pub mod libraries;
pub mod names;
pub mod pair;
pub mod running;
mod stubs;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use dsu_abi::stub::Dispatch;
use dsu_abi::symbols::{Linkage, SymbolKind};
use serde::{Deserialize, Serialize};

use self::names::Names;
use crate::problem::{Problem, Reason, Result};

/// Ending of lifted bases.
pub const BASE_ENDING: &str = "dsubase";

/// What kind of program a build is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModuleKind {
    /// Position-independent executable.
    Pie,
    /// Executable at fixed addresses.
    Fixed,
    /// Shared library.
    Library,
}

/// One build, complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// File name, without directories.
    pub name: String,
    /// Kind of program.
    pub kind: ModuleKind,
    /// GNU build-id.
    pub build_id: Vec<u8>,
    /// ELF machine number.
    pub machine: u16,
    /// Its own soname, if it has one.
    pub soname: Option<String>,
    /// Libraries it needs, by soname.
    pub needed: Vec<String>,
    /// Where it looks for them first (RUNPATH or RPATH, as written).
    pub run_path: Vec<String>,
    /// The directory it was read from, which stands for `$ORIGIN`.
    #[serde(skip)]
    pub origin: PathBuf,
    /// Has thread-local variables.
    pub tls: bool,
    /// Global symbols it defines (`.symtab`, else `.dynsym`): address, thread-local.
    pub defined: BTreeMap<String, SymbolLocation>,
    /// Names of `.dynsym` that it defines.
    pub exported: Vec<String>,
    /// What the linker made of names.
    pub names: Names,
    /// Names it imports, with the library that provides them.
    pub imported: BTreeMap<String, String>,
    /// Translation units, in link order.
    pub units: Vec<Unit>,
    /// Text around the entries: address of an entry -> 16 bytes before it and 24 from it on.
    pub entries: BTreeMap<u64, Vec<u8>>,
    /// Bytes of the functions that have a stub, by entry: never less than they have.
    pub sizes: BTreeMap<u64, u64>,
    /// Names of functions that the code generator laid out in several pieces.
    pub split: BTreeSet<String>,
    /// What it puts into memory.
    pub image: image::Image,
}

/// Where a global symbol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SymbolLocation {
    /// Virtual address, or offset in the TLS block.
    pub address: u64,
    /// Thread-local.
    pub tls: bool,
}

/// One translation unit of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Identity: equal ids mean equal name and bitcode.
    pub id: u64,
    /// Source path, relative to the compilation directory.
    pub name: String,
    /// Compilation directory.
    pub directory: String,
    /// Compiler.
    pub producer: String,
    /// Arguments that matter for the code.
    pub flags: Vec<String>,
    /// Strings in it that say when it was compiled.
    pub build_timestamps: Vec<String>,
    /// Functions left alone, with the reason.
    pub skipped: Vec<(String, String)>,
    /// Functions in which a thread can switch: they contain a quiescence point or an idle region.
    pub points: Vec<String>,
    /// zstd frame.
    pub bitcode: Vec<u8>,
    /// Bytes when decompressed.
    pub bitcode_size: u64,
    /// What it defines.
    pub symbols: Vec<UnitSymbol>,
}

/// What a unit defines, and where the linker put it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitSymbol {
    /// Name in the bitcode.
    pub name: String,
    /// Kind, by its number in the format.
    pub kind: u8,
    /// Dispatch, by number.
    pub dispatch: u8,
    /// Linkage, by number.
    pub linkage: u8,
    /// Address, or TLS offset; 0 when dropped.
    pub address: u64,
    /// Address of the slot, or 0.
    pub slot: u64,
    /// Bytes before the entry.
    pub function_id: u64,
    /// The program has another definition of this name.
    pub overridden: bool,
}

impl UnitSymbol {
    /// Does it name this kind of thing?
    pub fn is(&self, kind: SymbolKind) -> bool {
        self.kind == kind as u8
    }

    /// Is it seen from other units?
    pub fn is_global(&self) -> bool {
        self.linkage != Linkage::Local as u8
    }

    /// Code, with or without a stub.
    pub fn is_function(&self) -> bool {
        self.is(SymbolKind::Function) || self.is(SymbolKind::PlainFunction)
    }

    /// How its calls dispatch.
    pub fn dispatch(&self) -> Dispatch {
        Dispatch::from_number(self.dispatch).unwrap_or(Dispatch::Armed)
    }

    /// Is it in the program? TLS offsets start at 0, so they always are.
    pub fn is_present(&self) -> bool {
        !self.overridden && (self.address != 0 || self.is(SymbolKind::Tls))
    }
}

impl Unit {
    /// The symbol of this name.
    pub fn symbol(&self, name: &str) -> Option<&UnitSymbol> {
        self.symbols.iter().find(|s| s.name == name)
    }

    /// The bitcode, decompressed.
    pub fn bitcode(&self) -> Result<Vec<u8>> {
        let size = usize::try_from(self.bitcode_size).ok().filter(|&s| s < 1 << 31);
        let damaged = || Problem::new(Reason::Damaged, &self.name, "its stored bitcode does not decompress");
        zstd::bulk::decompress(&self.bitcode, size.ok_or_else(damaged)?).map_err(|_| damaged())
    }
}

impl Build {
    /// Reads a build from a file.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        let unreadable = |e: std::io::Error| Problem::new(Reason::Unreadable, &shown, format!("cannot be read: {e}"));
        if fs::metadata(path).map_err(unreadable)?.is_dir() {
            return Err(Problem::new(Reason::IsDirectory, &shown, "is a directory"));
        }
        let bytes = fs::read(path).map_err(unreadable)?;
        let origin = path.parent().map(Path::to_path_buf).unwrap_or_default();
        if container::is_container(&bytes) {
            return Ok(Build { origin, ..container::read(&bytes, &shown)? });
        }
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let build = elf::read(&bytes, &shown, &name)?;
        stubs::check(&build, &shown)?;
        Ok(Build { origin, ..build })
    }

    /// The `.dsubase` bytes of this build.
    pub fn to_container(&self) -> Result<Vec<u8>> {
        container::write(self)
    }

    /// Is it a library rather than a program?
    pub fn is_library(&self) -> bool {
        self.kind == ModuleKind::Library
    }

    /// Its build-id in hexadecimal.
    pub fn build_id_hex(&self) -> String {
        hex(&self.build_id)
    }
}

/// Bytes as lowercase hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Runs two closures side by side.
pub fn both<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let a = scope.spawn(a);
        let b = b();
        (a.join().expect("a panic aborts the process"), b)
    })
}
