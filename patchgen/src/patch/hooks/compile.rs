//! A hooks file as a unit of the new build.

use std::collections::BTreeMap;
use std::process::Command;

use dsu_abi::symbols::{Linkage, SymbolKind};
use dsu_pass::llvm::Context;

use super::{Hooks, Source, bad};
use crate::build::{Build, Unit, UnitSymbol};
use crate::ir::Module;
use crate::ir::is_defined;
use crate::problem::{Problem, Reason, Result};
use crate::toolchain::Tool;

/// Compiles a hooks file with the flags of the base and appends it to the new build.
pub fn compile(source: &Source, base: &Build, new: &mut Build) -> Result<Hooks> {
    let shown = source.file.display().to_string();
    let bitcode = bitcode(source, &shown, &common_flags(base))?;
    let context = Context::new();
    let module = context.parse(&bitcode, &shown);
    let text = module.map_err(|e| Problem::new(Reason::ForeignBitcode, &shown, e.to_string()))?.to_text();
    let module = Module::parse(&text).map_err(|e| Problem::new(Reason::Internal, &shown, e))?;
    let hooks = Hooks::check(&module, &shown, new.units.len(), &[base, new])?;
    let unwritable = |e: std::io::Error| Problem::new(Reason::Internal, &shown, e.to_string());
    new.units.push(Unit {
        id: 0,
        name: format!("{} (hooks)", source.file.file_name().unwrap_or_default().to_string_lossy()),
        directory: String::new(),
        producer: String::new(),
        flags: source.flags.clone(),
        skipped: Vec::new(),
        build_timestamps: Vec::new(),
        points: Vec::new(),
        bitcode_size: bitcode.len() as u64,
        bitcode: zstd::bulk::compress(&bitcode, 1).map_err(unwritable)?,
        symbols: symbols(&module),
    });
    Ok(hooks)
}

/// The flags that most units of the base were compiled with.
fn common_flags(base: &Build) -> Vec<String> {
    let mut counts: BTreeMap<&Vec<String>, usize> = BTreeMap::new();
    base.units.iter().for_each(|unit| *counts.entry(&unit.flags).or_default() += 1);
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(flags, _)| flags.clone()).unwrap_or_default()
}

fn bitcode(source: &Source, shown: &str, flags: &[String]) -> Result<Vec<u8>> {
    let failed = |what: String| Problem::new(Reason::ToolFailed, "clang", what);
    let scratch = tempfile::Builder::new().prefix("patchgen-").tempdir().map_err(|e| failed(e.to_string()))?;
    let output = scratch.path().join("hooks.bc");
    let clang = Tool::Clang.program();
    let mut command = Command::new(clang);
    command.args(flags).args(&source.flags).args(["-g", "-c", "-emit-llvm", "-o"]).arg(&output).arg(&source.file);
    // Beside an installed patchgen, or in the workspace it was built in: where dsu-cc looks, too.
    let home = std::env::current_exe().ok().and_then(|exe| exe.parent().map(std::path::Path::to_owned));
    let places = ["include", "../include", "../../runtime/include"];
    let include = home.and_then(|h| places.iter().map(|p| h.join(p)).find(|d| d.join("dsu.h").is_file()));
    command.args(include.iter().flat_map(|directory| ["-idirafter".as_ref(), directory.as_os_str()]));
    let done = command.output().map_err(|e| failed(format!("cannot be run: {e}")))?;
    if !done.status.success() {
        let words = String::from_utf8_lossy(&done.stderr);
        let first = words.lines().find(|l| l.contains("error")).or(words.lines().next()).unwrap_or("no message");
        return Err(bad(shown, format!("does not compile: {}", first.trim())));
    }
    std::fs::read(&output).map_err(|e| failed(format!("left no `{}`: {e}", output.display())))
}

fn symbols(module: &Module<'_>) -> Vec<UnitSymbol> {
    let functions = module.functions.iter().filter(|f| is_defined(f));
    let functions = functions.map(|f| (f.name, f.linkage, SymbolKind::PlainFunction));
    let globals = module.globals.iter().filter(|g| g.initialiser.is_some() && !g.name.starts_with("llvm."));
    let globals = globals.map(|g| (g.name, g.linkage, SymbolKind::Data));
    let symbol = |(name, linkage, kind): (&str, &str, SymbolKind)| {
        let local = matches!(linkage, "internal" | "private");
        UnitSymbol {
            name: crate::ir::lex::unescape(name),
            kind: kind as u8,
            dispatch: 0,
            linkage: if local { Linkage::Local as u8 } else { Linkage::Global as u8 },
            address: 0,
            slot: 0,
            function_id: 0,
            overridden: false,
        }
    };
    functions.chain(globals).map(symbol).collect()
}
