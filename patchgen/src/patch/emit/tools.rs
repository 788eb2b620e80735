//! LLVM's code generator and linker, run as processes in a directory of their own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::build::{Build, libraries};
use crate::patch::extract::Extracted;
use crate::problem::{Problem, Reason, Result};
use crate::toolchain::{TRIPLE, Tool};

/// Where the tools are.
#[derive(Debug, Clone)]
pub struct Tools {
    llc: OsString,
    mc: OsString,
    lld: OsString,
    /// Keep the intermediate files here.
    pub keep: Option<PathBuf>,
}

impl Default for Tools {
    fn default() -> Self {
        Self { llc: Tool::Llc.program(), mc: Tool::Mc.program(), lld: Tool::Lld.program(), keep: None }
    }
}

pub(super) fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        command.output().map_err(|e| Problem::new(Reason::ToolFailed, &name, format!("cannot be run: {e}")))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let first = words.lines().find(|l| l.contains("error")).or(words.lines().next()).unwrap_or("no message").trim();
    let reason = if first.contains("No space left") { Reason::Unwritable } else { Reason::ToolFailed };
    Err(Problem::new(reason, name, format!("failed ({}): {first}", output.status)))
}

/// Does `count` pieces of work, as many at a time as the machine has processors; the first failure in their order
/// is the one that counts.
fn side_by_side(count: usize, work: impl Fn(usize) -> Result<()> + Sync) -> Result<()> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(count);
    let next = AtomicUsize::new(0);
    let done = std::thread::scope(|scope| {
        let worker = || {
            let numbers = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|n| *n < count));
            numbers.map(|number| (number, work(number))).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        let results = threads.into_iter().map(|t| t.join().expect("a panic aborts the process"));
        results.flatten().collect::<BTreeMap<usize, Result<()>>>()
    });
    done.into_values().collect()
}

impl Tools {
    /// The shared object of all extracted modules and of `stubs`, an assembly unit.
    pub(super) fn build(&self, base: &Build, extracted: &Extracted, stubs: &str) -> Result<Vec<u8>> {
        let unwritable = |e: std::io::Error| {
            Problem::new(Reason::Unwritable, "temporary directory", format!("cannot be written: {e}"))
        };
        let scratch = tempfile::Builder::new().prefix("patchgen-").tempdir().map_err(unwritable)?;
        let directory = self.keep.as_deref().unwrap_or(scratch.path());
        fs::create_dir_all(directory).map_err(unwritable)?;
        let object = |number: usize| directory.join(format!("{number}.o"));
        side_by_side(extracted.list.len(), |number| {
            let (extracted_module, ir) = (&extracted.list[number], directory.join(format!("{number}.ll")));
            fs::write(&ir, &extracted_module.text).map_err(unwritable)?;
            let compiled = self.compile(&ir, &object(number));
            compiled.map_err(|p| Problem { subject: format!("{} of {}", p.subject, extracted_module.unit), ..p })
        })?;
        let mut objects: Vec<PathBuf> = (0..extracted.list.len()).map(object).collect();
        let (assembly, object) = (directory.join("stubs.s"), directory.join("stubs.o"));
        fs::write(&assembly, stubs).map_err(unwritable)?;
        self.assemble(&assembly, &object)?;
        objects.push(object);
        let output = directory.join("patch.so");
        let own = self.stand_in(base, extracted, directory)?;
        self.link(base, &objects, own.as_deref(), &output)?;
        fs::read(&output).map_err(unwritable)
    }

    fn compile(&self, ir: &Path, object: &Path) -> Result<()> {
        // The program was optimised already; only code generation is left, at the level clang uses by default.
        run(Command::new(&self.llc).args(["-O2", "-relocation-model=pic", "-filetype=obj", "-o"]).arg(object).arg(ir))
    }

    fn assemble(&self, assembly: &Path, object: &Path) -> Result<()> {
        let triple = format!("-triple={TRIPLE}");
        run(Command::new(&self.mc).args([&triple, "-filetype=obj", "-o"]).arg(object).arg(assembly))
    }

    /// A library of the base's soname that exports the names the patch expects of it, so that the patch depends on
    /// the base itself: one that was opened with RTLD_LOCAL would not be searched otherwise.
    fn stand_in(&self, base: &Build, extracted: &Extracted, directory: &Path) -> Result<Option<PathBuf>> {
        let Some(soname) = base.soname.as_deref().filter(|_| base.is_library()) else { return Ok(None) };
        let wanted = extracted.external.keys().filter(|n| base.exported.binary_search(n).is_ok());
        let text: String = wanted
            .map(|name| {
                let tls = base.defined.get(name).is_some_and(|d| d.tls);
                let word = if tls { "thread_local " } else { "" };
                format!("@{} = {word}global i8 0\n", crate::ir::lex::escape(name))
            })
            .collect();
        if text.is_empty() {
            return Ok(None);
        }
        let (ir, object, library) = (directory.join("base.ll"), directory.join("base.o"), directory.join("base.so"));
        let target = format!("target triple = \"{TRIPLE}\"\n");
        fs::write(&ir, format!("{target}{text}")).map_err(|e| {
            Problem::new(Reason::Unwritable, ir.display().to_string(), format!("cannot be written: {e}"))
        })?;
        self.compile(&ir, &object)?;
        run(Command::new(&self.lld).args(["-shared", "-soname", soname, "-o"]).arg(&library).arg(&object))?;
        Ok(Some(library))
    }

    fn link(&self, base: &Build, objects: &[PathBuf], own: Option<&Path>, output: &Path) -> Result<()> {
        let mut command = Command::new(&self.lld);
        command.args(["-shared", "-z", "norelro", "-z", "now", "-z", "text", "--build-id=sha1", "--eh-frame-hdr"]);
        command.args(["--hash-style=gnu", "--unresolved-symbols=ignore-all", "-soname", "dsu-patch.so", "-o"]);
        command.arg(output).args(objects);
        // Only those that are used, so that the versions of their symbols are recorded.
        command.arg("--as-needed");
        let (found, _) = libraries::find(base);
        command.args(own).args(found.iter().map(|l| &l.path)).args(libraries::archives());
        run(&mut command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_work_is_done_and_the_first_failure_counts() {
        let done = AtomicUsize::new(0);
        let failed = side_by_side(20, |number| {
            done.fetch_add(1, Ordering::Relaxed);
            let problem = || Problem::new(Reason::ToolFailed, number.to_string(), "failed");
            if number % 7 == 3 { Err(problem()) } else { Ok(()) }
        });
        assert_eq!(failed.expect_err("3, 10 and 17 fail").subject, "3");
        assert_eq!(done.into_inner(), 20);
        assert_eq!(side_by_side(0, |_| Ok(())), Ok(()));
    }
}
