//! The C programs of `testsuite/programs`: built in several versions, updated while they run, and asked what they saw.
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

pub use crate::config::Consistency;
use crate::live::Live;
use crate::real::cache;
use crate::real::command::{dsuctl, run};
use crate::real::compiler::Flavor;
use crate::real::journey::make_patch;
use crate::tools::{PLAIN_CC, Tools, workspace};

/// How long threads may take to go over, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder of `testsuite/programs` and how it is compiled.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// Its folder.
    pub name: &'static str,
    /// The units that `dsu-cc` compiles.
    pub units: &'static [&'static str],
    /// A unit that plain clang makes a library of, or nothing.
    pub library: Option<&'static str>,
    /// Its last version; the first is 1.
    pub versions: u8,
}

/// Threads that watch the versions they call.
pub const ORDER: Source = Source {
    name: "order",
    units: &["main.c", "actors.c", "versions.c", "watch.c"],
    library: Some("stranger"),
    versions: 3,
};

/// Threads that watch the clock, and threads that sleep.
pub const UNSTOPPED: Source =
    Source { name: "unstopped", units: &["main.c", "versions.c"], library: None, versions: 2 };

/// All versions of a program, and the patches from the first to the others.
#[derive(Clone, Debug)]
pub struct Program {
    source: Source,
    folder: PathBuf,
}

impl Program {
    /// Builds it, or takes it from the cache.
    ///
    /// # Errors
    /// When it cannot be compiled, or patchgen refuses a patch.
    pub fn build(source: Source, flavor: Flavor) -> Result<Self> {
        let origin = programs().join(source.name);
        let mut inputs = flavor.inputs()?;
        let tools = Tools::find()?;
        inputs.extend([tools.path("patchgen"), tools.include.join("dsu.h")]);
        inputs.extend(fs::read_dir(&origin)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?);
        inputs.sort();
        let key = cache::key(&inputs, &[flavor.name(), source.name])?;
        let folder = cache::once(&format!("{}-{key}", source.name), |folder| {
            (1..=source.versions).try_for_each(|version| compile(source, &origin, flavor, version, folder))?;
            let made = Self { source, folder: folder.into() };
            (2..=source.versions).try_for_each(|version| {
                make_patch(&made.executable(1), &made.executable(version), &made.patch(version)).map(drop)
            })
        })?;
        Ok(Self { source, folder })
    }

    fn executable(&self, version: u8) -> PathBuf {
        self.folder.join(format!("v{version}")).join(self.source.name)
    }

    /// The patch from version 1 to `version`.
    pub fn patch(&self, version: u8) -> PathBuf {
        self.folder.join(format!("v{version}.dsu"))
    }
}

fn programs() -> PathBuf {
    workspace().join("testsuite/programs")
}

fn compile(source: Source, origin: &Path, flavor: Flavor, version: u8, folder: &Path) -> Result<()> {
    let out = folder.join(format!("v{version}"));
    fs::create_dir_all(&out)?;
    let mut compile = Command::new(flavor.compiler()?);
    flavor.prepare(&mut compile);
    compile.args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-D_GNU_SOURCE"]);
    compile.arg(format!("-DVERSION={version}")).arg("-I").arg(Tools::find()?.include).current_dir(origin);
    compile.args(source.units).arg("-o").arg(out.join(source.name));
    if let Some(library) = source.library {
        let mut plain = Command::new(PLAIN_CC);
        plain.args(["-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-fPIC", "-shared"]).current_dir(origin);
        plain.arg(format!("{library}.c")).arg("-o").arg(out.join(format!("lib{library}.so")));
        run(&mut plain, &[0])?;
        compile.arg(format!("-L{}", out.display())).args([&format!("-l{library}"), "-Wl,-rpath,$ORIGIN"]);
    }
    run(&mut compile, &[0]).with_context(|| format!("version {version} of `{}` cannot be built", source.name))?;
    Ok(())
}

/// A program that runs, and the one that updates it and tells it when each update began and was over.
#[derive(Debug)]
pub struct Stage {
    program: Program,
    live: Live,
    conductor: Live,
    consistency: Consistency,
    folder: TempDir,
}

impl Stage {
    /// Starts both.
    ///
    /// # Errors
    /// When one of them does not start.
    pub fn set(program: &Program, consistency: Consistency, arguments: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let page = folder.path().join("stage");
        File::create(&page)?;
        let mut command = Command::new(program.executable(1));
        command.arg(&page).args(arguments).env("DSU_RUNTIME_DIR", folder.path());
        let live = Live::start(&mut command, &folder.path().join("program.stderr"))?;
        let mut command = Command::new(conductor()?);
        command.arg(&page).env("DSU_RUNTIME_DIR", folder.path());
        let conductor = Live::start(&mut command, &folder.path().join("conductor.stderr"))?;
        Ok(Self { program: program.clone(), live, conductor, consistency, folder })
    }

    /// The program's process id.
    pub fn pid(&self) -> u32 {
        self.live.pid()
    }

    /// The folder of its socket.
    pub fn sockets(&self) -> &Path {
        self.folder.path()
    }

    /// A command to the program, and its reply.
    ///
    /// # Errors
    /// When it does not reply.
    pub fn ask(&mut self, command: &str) -> Result<Vec<String>> {
        self.live.send(command)
    }

    /// A command that replies nothing.
    ///
    /// # Errors
    /// When it does say something.
    pub fn tell(&mut self, command: &str) -> Result<()> {
        let reply = self.ask(command)?;
        ensure!(reply.is_empty(), "`{command}`: {}", reply.join("; "));
        Ok(())
    }

    /// What the program's threads have seen.
    ///
    /// # Errors
    /// When it does not reply.
    pub fn counts(&mut self) -> Result<Counts> {
        let reply = self.ask("counts")?;
        let word = |name: &str| reply.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let number = |name: &str| -> Result<u64> {
            word(name).with_context(|| format!("no `{name}` in {reply:?}"))?.parse().context("not a number")
        };
        Ok(Counts {
            calls: number("calls")?,
            passes: number("passes")?,
            mixed: number("mixed")?,
            late: number("late")?,
            events: number("events")?,
            complaint: word("complaint").unwrap_or_default().to_owned(),
        })
    }

    /// Makes the program run `version`: by its patch, or for version 1 by taking the patch back. How long it took until
    /// every thread had gone over.
    ///
    /// # Errors
    /// When dsuctl does not succeed.
    pub fn update(&mut self, version: u8) -> Result<Duration> {
        let patch = self.program.patch(version);
        self.pretend(version, (version > 1).then_some(&*patch))
    }

    /// As [`Stage::update`], but the threads are told that it is `version` whatever the patch makes of them.
    ///
    /// # Errors
    /// When dsuctl does not succeed.
    pub fn pretend(&mut self, version: u8, patch: Option<&Path>) -> Result<Duration> {
        let words = self.words(patch)?;
        self.conduct(&[&[version.to_string()], &*words].concat())
    }

    /// Begins an update and does not wait for threads; [`Stage::settle`] does.
    ///
    /// # Errors
    /// When dsuctl does not succeed.
    pub fn begin(&mut self, version: u8) -> Result<()> {
        let patch = self.program.patch(version);
        let words = self.words((version > 1).then_some(&*patch))?;
        self.conduct(&[&[format!("~{version}")], &*words, &["--no-wait".to_owned()]].concat()).map(drop)
    }

    /// Waits until every thread has gone over.
    ///
    /// # Errors
    /// When one does not.
    pub fn settle(&mut self) -> Result<()> {
        self.wait_for("every thread has moved", |status| status["transition"].is_null())?;
        self.conductor.send("settled").map(drop)
    }

    /// dsuctl's words for an update.
    fn words(&self, patch: Option<&Path>) -> Result<Vec<String>> {
        let (pid, tool) = (self.pid().to_string(), Tools::find()?.path("dsuctl").display().to_string());
        Ok(match patch {
            Some(patch) => {
                let words = [tool, "apply".to_owned(), pid, patch.display().to_string()];
                words.into_iter().chain(self.consistency.arguments().map(str::to_owned)).collect()
            }
            None => vec![tool, "revert".to_owned(), "--all".to_owned(), pid],
        })
    }

    fn conduct(&mut self, words: &[String]) -> Result<Duration> {
        let reply = self.conductor.send(&words.join("\t"))?;
        let Some((end, said)) = reply.split_last() else { bail!("the conductor says nothing") };
        let micros = end.strip_prefix("exit 0 in ").and_then(|rest| rest.strip_suffix(" us"));
        let micros = micros.with_context(|| format!("{}: {end}\n{}", words.join(" "), said.join("\n")))?;
        Ok(Duration::from_micros(micros.parse()?))
    }

    /// What `dsuctl status` says of the program.
    ///
    /// # Errors
    /// When dsuctl does not succeed.
    pub fn status(&self) -> Result<Value> {
        Ok(dsuctl(self.sockets(), &["status", &self.pid().to_string()])?.0)
    }

    /// Waits until the status is as wanted.
    ///
    /// # Errors
    /// When it is not in time.
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            let status = self.status()?;
            if wanted(&status) {
                return Ok(());
            }
            ensure!(Instant::now() < end, "not after {} s: {what}; {status:#}", PATIENCE.as_secs());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The mappings of the patch to `version`, by their protection.
    ///
    /// # Errors
    /// When the program is gone.
    pub fn mappings(&self, version: u8) -> Result<Vec<String>> {
        let maps = fs::read_to_string(format!("/proc/{}/maps", self.pid()))?;
        let name = format!("/memfd:v{version} ");
        let of_patch = maps.lines().filter(|line| line.contains(&name));
        Ok(of_patch.filter_map(|line| line.split(' ').nth(1).map(str::to_owned)).collect())
    }

    /// Ends the program.
    ///
    /// # Errors
    /// When it does not end, or not well.
    pub fn end(self) -> Result<()> {
        let end = self.live.finish()?;
        ensure!(end.code == 0, "the program ended with {}: {}", end.code, end.stderr);
        Ok(())
    }
}

/// What threads have seen.
#[derive(Clone, Debug)]
pub struct Counts {
    /// Calls whose version was looked at.
    pub calls: u64,
    /// Passes from one quiescence point to the next.
    pub passes: u64,
    /// Passes that called two versions.
    pub mixed: u64,
    /// Calls of a version that no update allowed at that time.
    pub late: u64,
    /// What happened of the kinds' own doing: signals, ends of threads, interrupted system calls.
    pub events: u64,
    /// The first of the wrong ones in words.
    pub complaint: String,
}

fn conductor() -> Result<PathBuf> {
    let source = programs().join("conduct.c");
    let key = cache::key(&[source.clone(), programs().join("order/stage.h")], &[])?;
    let folder = cache::once(&format!("conduct-{key}"), |folder| {
        let mut compile = Command::new(PLAIN_CC);
        compile.args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE"]);
        run(compile.arg(&source).arg("-o").arg(folder.join("conduct")), &[0]).map(drop)
    })?;
    Ok(folder.join("conduct"))
}
