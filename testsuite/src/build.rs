//! The builds of a case. Each has a folder of its own in which the main source is always called `main.c`, so that
//! old and new differ in content alone.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use anyhow::{Context, Result, anyhow, bail};

use crate::case::{self, Case};
use crate::config::{Compiler, Config, Consistency, Dispatch};
use crate::edits;
use crate::process::Transcript;
use crate::tools::{PLAIN_CC, PLAIN_CXX, Tools};

/// Who compiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// clang, without any of ours.
    Plain,
    /// The wrapper under test.
    Dsu,
    /// The wrapper once more: an equal build at another time and place.
    Again,
}

impl Flavour {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Dsu => "dsu",
            Self::Again => "again",
        }
    }
}

/// What is the same in several tests of a case, and is done in one of them.
#[derive(Debug, Clone, Copy)]
pub struct Once<'a> {
    /// Whether this is the first test of the case that builds in this way.
    pub in_build: bool,
    /// Whether this is the first test of its config.
    pub in_config: bool,
    /// Plain builds of the config, by version.
    pub plain: &'a Plain,
}

/// The plain builds of a config: no dispatch makes a difference to them.
#[derive(Debug)]
pub struct Plain {
    root: PathBuf,
    made: Mutex<BTreeSet<String>>,
}

impl Plain {
    /// None yet, and a folder for them.
    pub fn new(root: PathBuf) -> Self {
        // Of an earlier run.
        fs::remove_dir_all(&root).ok();
        Self { root, made: Mutex::default() }
    }
}

/// One test: a case in one of its configs with one dispatch and consistency, and where it works.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The tools under test.
    pub tools: &'a Tools,
    /// The case.
    pub case: &'a Case,
    /// The config.
    pub config: &'a Config,
    /// The dispatch.
    pub dispatch: Dispatch,
    /// How patches are applied; nothing is as they say.
    pub consistency: Option<Consistency>,
    /// What the tests of the case share.
    pub once: Once<'a>,
    /// Everything is built below here.
    pub root: PathBuf,
    /// Every command so far.
    pub transcript: Transcript,
}

impl Scene<'_> {
    /// Folder of one build.
    pub fn dir(&self, flavour: Flavour, version: &str) -> PathBuf {
        self.root.join(flavour.name()).join(version)
    }

    /// The program of one build.
    pub fn program(&self, flavour: Flavour, version: &str) -> PathBuf {
        self.dir(flavour, version).join("app")
    }

    /// What is diffed and patched of one build: the program, or a library of it.
    pub fn module(&self, flavour: Flavour, version: &str) -> PathBuf {
        self.dir(flavour, version).join(&self.config.module)
    }

    /// The plugin's log of an instrumented build.
    pub fn log(&self, version: &str) -> PathBuf {
        self.dir(Flavour::Dsu, version).join("dsu.log")
    }

    /// Keeps what is built aside: the script may write where it runs.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn keep(&self) -> Result<()> {
        self.copy_tree(&self.root, &self.kept())
    }

    /// Puts back what was kept.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn restore(&self) -> Result<()> {
        let root = &self.root;
        fs::remove_dir_all(root).with_context(|| format!("failed to remove `{}`", root.display()))?;
        self.copy_tree(&self.kept(), root)
    }

    /// Removes all of it.
    pub fn clear(&self) {
        // Not there the first time.
        fs::remove_dir_all(&self.root).ok();
        fs::remove_dir_all(self.kept()).ok();
    }

    fn kept(&self) -> PathBuf {
        self.root.with_added_extension("kept")
    }

    fn copy_tree(&self, from: &Path, to: &Path) -> Result<()> {
        self.transcript.must(Command::new("cp").arg("-a").args([from, to]))?;
        Ok(())
    }

    /// The plain build of `version`, made by whichever test of the config comes first.
    ///
    /// # Errors
    /// When a source is missing, or the compiler fails.
    pub fn build_plain(&self, version: &str) -> Result<()> {
        let Plain { root, made } = self.once.plain;
        let mut made = made.lock().map_err(|_| anyhow!("the test that built plain {version} panicked"))?;
        let (own, shared) = (self.dir(Flavour::Plain, version), root.join(version));
        if made.contains(version) {
            self.transcript.must(Command::new("mkdir").arg("-p").arg(self.root.join(Flavour::Plain.name())))?;
            return self.copy_tree(&shared, &own);
        }
        self.build(Flavour::Plain, version)?;
        if self.config.dispatches().len() > 1 {
            fs::create_dir_all(root).with_context(|| format!("failed to create `{}`", root.display()))?;
            self.copy_tree(&own, &shared)?;
            made.insert(version.into());
        }
        Ok(())
    }

    /// Lays out the sources of `version` and builds them.
    ///
    /// # Errors
    /// When a source is missing, or the compiler fails.
    pub fn build(&self, flavour: Flavour, version: &str) -> Result<()> {
        let dir = self.dir(flavour, version);
        fs::create_dir_all(&dir).with_context(|| format!("failed to create `{}`", dir.display()))?;
        self.lay_out(&dir, version)?;
        for lib in &self.config.libs {
            let mut command = self.compiler(flavour, version);
            command.args(self.flags(flavour, version)).args(["-fPIC", "-shared", &format!("{lib}.c"), "-o"]);
            command.arg(format!("lib{lib}.so")).arg(format!("-Wl,-soname,lib{lib}.so"));
            self.transcript.must(&mut command)?;
        }
        let mut command = match &self.config.build {
            Some(shell) => self.shell(flavour, version, shell),
            None => {
                let mut command = self.compiler(flavour, version);
                command.args(self.flags(flavour, version)).arg(self.main_source()).args(&self.config.units);
                command.args(["-o", "app"]).args(self.link_flags());
                command
            }
        };
        self.transcript.must(&mut command)?;
        Ok(())
    }

    /// `sh -c SHELL` in the folder of a build, with what its compiler needs in the environment.
    pub fn shell(&self, flavour: Flavour, version: &str, shell: &str) -> Command {
        let (cc, cxx) = match flavour {
            Flavour::Plain => (PathBuf::from(PLAIN_CC), PathBuf::from(PLAIN_CXX)),
            Flavour::Dsu | Flavour::Again => (self.tools.path("dsu-cc"), self.tools.path("dsu-c++")),
        };
        let mut command = Command::new("sh");
        command.args(["-e", "-c", shell]).current_dir(self.dir(flavour, version));
        command.env("PATH", self.tools.search_path()).env("CASE", &self.case.dir).env("CC", cc).env("CXX", cxx);
        command.env("CFLAGS", self.flags(flavour, version).join(" ")).env("LDFLAGS", self.link_flags().join(" "));
        command
    }

    /// The compiler of a flavour, in the folder of a build.
    fn compiler(&self, flavour: Flavour, version: &str) -> Command {
        let mut command = match (flavour, self.config.compiler) {
            (Flavour::Plain, Compiler::C) => Command::new(PLAIN_CC),
            (Flavour::Plain, Compiler::Cxx) => Command::new(PLAIN_CXX),
            (_, Compiler::C) => Command::new(self.tools.path("dsu-cc")),
            (_, Compiler::Cxx) => Command::new(self.tools.path("dsu-c++")),
        };
        command.current_dir(self.dir(flavour, version));
        command
    }

    fn flags(&self, flavour: Flavour, version: &str) -> Vec<String> {
        let mut flags = Vec::new();
        if flavour != Flavour::Plain {
            flags.push(format!("--dsu-dispatch={}", self.dispatch.name()));
            flags.push(format!("--dsu-log={}", self.dir(flavour, version).join("dsu.log").display()));
            flags.extend(self.config.dsu_args.iter().cloned());
        }
        flags.extend(self.config.comp_args.iter().cloned());
        flags.extend(["-Wall", "-Werror", "-pthread"].map(Into::into));
        flags.push(format!("-I{}", case::root().join("include").display()));
        flags.push(format!("-I{}", self.tools.include.display()));
        flags
    }

    fn link_flags(&self) -> Vec<String> {
        let mut flags = vec![format!("-fuse-ld={}", self.linker())];
        if !self.config.libs.is_empty() {
            flags.extend(["-L.".into(), "-Wl,-rpath,$ORIGIN".into()]);
            flags.extend(self.config.libs.iter().map(|lib| format!("-l{lib}")));
        }
        flags.extend(self.config.link_args.iter().cloned());
        flags
    }

    /// clang-19's packages install its lld under a name with the version.
    fn linker(&self) -> &str {
        if self.config.linker == "lld" { "lld-19" } else { &self.config.linker }
    }

    fn main_source(&self) -> &'static str {
        match self.config.compiler {
            Compiler::C => "main.c",
            Compiler::Cxx => "main.cc",
        }
    }

    /// Copies the case's files as they are in `version`: `vN.c` as the main source, `helper.vN.c` as `helper.c`, all others
    /// with their edits for it.
    fn lay_out(&self, dir: &Path, version: &str) -> Result<()> {
        let main = case::source_of(&self.case.dir, version).or_else(|| case::source_of(&self.case.dir, "v1"));
        let Some(main) = main else { bail!("`{}` has no source", self.case.dir.display()) };
        copy(&main, &dir.join(self.main_source()), version)?;
        let files = case::files(&self.case.dir)?;
        let variants: Vec<_> = files.iter().filter_map(|f| Some((f, case::variant_of(f)?))).collect();
        for file in &files {
            if case::variant_of(file).is_none() {
                copy(&self.case.dir.join(file), &dir.join(file), version)?;
            }
        }
        for (file, (base, of)) in variants {
            if of == version {
                copy(&self.case.dir.join(file), &dir.join(base), version)?;
            }
        }
        Ok(())
    }
}

/// Copies a file as it is in `version`.
fn copy(from: &Path, to: &Path, version: &str) -> Result<()> {
    let copied = match fs::read_to_string(from) {
        Ok(text) if text.contains("//#v") => fs::write(to, edits::render(&text, version)?),
        _ => fs::copy(from, to).map(drop),
    };
    copied.with_context(|| format!("failed to copy `{}` to `{}`", from.display(), to.display()))
}
