//! A built program of which one unit at a time is compiled again: the compiler it was built with wrote down each of its
//! command lines, and these are run again.
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::oracle;
use super::programs::{Program, environment};
use crate::process::{Transcript, shell_line};
use crate::tools::{PLAIN_CC, Tools};

/// A call of the compiler.
#[derive(Clone, Debug)]
struct Call {
    folder: PathBuf,
    words: Vec<String>,
}

/// A source file of the program.
#[derive(Debug)]
pub struct Unit {
    /// The file.
    pub source: PathBuf,
    /// Its text.
    pub text: String,
    compile: Call,
    object: PathBuf,
    /// What it is compiled to in the base.
    compiled: Vec<u8>,
    /// Archives that the object is in.
    archives: Vec<PathBuf>,
}

/// A built program.
#[derive(Debug)]
pub struct Tree {
    /// Its units.
    pub units: Vec<Unit>,
    /// The build that mutants are held against.
    pub base: PathBuf,
    link: Call,
    program: PathBuf,
    tools: Tools,
}

/// Builds `program` in `folder`.
///
/// # Errors
/// When it cannot be built, or no unit of it is found again.
pub fn build(program: &Program, folder: &Path) -> Result<Tree> {
    let tools = Tools::find()?;
    let folder = folder.canonicalize()?;
    let calls_folder = folder.join("calls");
    fs::create_dir_all(&calls_folder)?;
    let recorder = folder.join("recorder");
    let script = format!(
        "#!/bin/sh\ncall=$(mktemp '{}/XXXXXXXXXX') && printf '%s\\0' \"$PWD\" \"$@\" >\"$call\"\nexec '{}' \"$@\"\n",
        calls_folder.display(),
        tools.path("dsu-cc").display(),
    );
    fs::write(&recorder, script)?;
    fs::set_permissions(&recorder, fs::Permissions::from_mode(0o755))?;
    let executable = program.build(&folder.join("tree"), &recorder.to_string_lossy())?;
    let calls = read_calls(&calls_folder)?;
    let output = |call: &&Call| call.output().as_ref() == Some(&executable);
    let link = calls.iter().find(output).with_context(|| format!("nothing linked `{}`", executable.display()))?.clone();
    let base = folder.join("base");
    fs::copy(&executable, &base)?;
    let units = units(&calls, &link, &link_map(&link, &tools, &folder.join("map"))?)?;
    ensure!(!units.is_empty(), "no unit of `{}` is found again", executable.display());
    Ok(Tree { units, base, link, program: executable, tools })
}

fn read_calls(folder: &Path) -> Result<Vec<Call>> {
    let mut calls = Vec::new();
    for entry in fs::read_dir(folder)? {
        let bytes = fs::read(entry?.path())?;
        let mut words = bytes.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
        let folder = PathBuf::from(words.next().unwrap_or_default());
        let mut words: Vec<String> = words.collect();
        // Behind the last zero there is nothing.
        words.pop();
        calls.push(Call { folder, words });
    }
    Ok(calls)
}

/// What the linker says it took: a member that nothing refers to stays in its archive.
fn link_map(link: &Call, tools: &Tools, map: &Path) -> Result<String> {
    let mut command = link.command(&tools.path("dsu-cc"));
    Transcript::default().must(command.arg(format!("-Wl,-Map={}", map.display())))?;
    fs::read_to_string(map).context("the linker wrote no map")
}

/// The units whose objects `link` takes, by themselves or out of an archive. Two objects of one name cannot be told apart in an
/// archive, and are left out.
fn units(calls: &[Call], link: &Call, map: &str) -> Result<Vec<Unit>> {
    let inputs: Vec<PathBuf> = link.words.iter().filter_map(|word| link.file(word)).collect();
    let mut members: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for archive in inputs.iter().filter(|input| input.extension().is_some_and(|extension| extension == "a")) {
        let transcript = Transcript::default();
        let listed = transcript.must(Command::new("ar").arg("t").arg(archive))?.stdout;
        for member in listed.lines().filter(|member| map.contains(&format!("({member})"))) {
            members.entry(member.to_owned()).or_default().push(archive.clone());
        }
    }
    let mut units: BTreeMap<PathBuf, Unit> = BTreeMap::new();
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    for call in calls.iter().filter(|call| call.words.iter().any(|word| word == "-c")) {
        let (Some(source), Some(object)) = (call.source(), call.object()) else { continue };
        let name = object.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let archives = members.get(&name).cloned().unwrap_or_default();
        let (Ok(text), Ok(compiled)) = (fs::read_to_string(&source), fs::read(&object)) else { continue };
        if !inputs.contains(&object) && archives.is_empty() {
            continue;
        }
        let unit = Unit { source, text, compile: call.clone(), object: object.clone(), compiled, archives };
        if units.insert(object, unit).is_none() {
            *named.entry(name).or_default() += 1;
        }
    }
    let alone = |object: &Path| named[&object.file_name().unwrap_or_default().to_string_lossy().into_owned()] == 1;
    Ok(units
        .into_iter()
        .filter(|(object, unit)| unit.archives.is_empty() || alone(object))
        .map(|(_, unit)| unit)
        .collect())
}

impl Call {
    /// A word as the file that it names, if there is one.
    fn file(&self, word: &str) -> Option<PathBuf> {
        (!word.starts_with('-'))
            .then(|| self.folder.join(word).canonicalize().ok())
            .flatten()
            .filter(|file| file.is_file())
    }

    /// What stands behind `-o`.
    fn output_word(&self) -> Option<&str> {
        let at = self.words.iter().position(|word| word == "-o")?;
        self.words.get(at + 1).map(String::as_str)
    }

    fn output(&self) -> Option<PathBuf> {
        self.file(self.output_word()?)
    }

    fn source(&self) -> Option<PathBuf> {
        let named = |word: &&String| word.ends_with(".c");
        self.file(self.words.iter().rev().find(named)?)
    }

    /// The object: what stands behind `-o`, or one beside no other word.
    fn object(&self) -> Option<PathBuf> {
        match self.output_word() {
            Some(_) => self.output(),
            None => self.file(&self.source()?.with_extension("o").file_name()?.to_string_lossy()),
        }
    }

    fn command(&self, compiler: &Path) -> Command {
        let mut command = Command::new(compiler);
        command.args(&self.words).current_dir(&self.folder);
        environment(&mut command);
        command
    }
}

impl Unit {
    /// The source file's name.
    pub fn name(&self) -> String {
        self.source.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

impl Tree {
    /// Compiles a unit as it is now with plain clang; whether that took it.
    ///
    /// # Errors
    /// When clang cannot be started.
    pub fn compile_plain(&self, unit: &Unit, object: &Path, transcript: &Transcript) -> Result<bool> {
        let mut call = unit.compile.clone();
        if let Some(at) = call.words.iter().position(|word| word == "-o") {
            call.words.drain(at..at + 2);
        }
        let mut command = call.command(Path::new(PLAIN_CC));
        command.args(oracle::FLAGS).args(["-w", "-o"]).arg(object);
        Ok(transcript.run(&mut command)?.code == Some(0))
    }

    /// Compiles a unit as it is now with `dsu-cc` and links the program anew.
    ///
    /// # Errors
    /// When that fails.
    pub fn link_with(&self, unit: &Unit, transcript: &Transcript) -> Result<&Path> {
        let compiler = self.tools.path("dsu-cc");
        transcript.must(&mut unit.compile.command(&compiler))?;
        self.put_into_archives(unit, transcript)?;
        transcript.must(&mut self.link.command(&compiler))?;
        Ok(&self.program)
    }

    fn put_into_archives(&self, unit: &Unit, transcript: &Transcript) -> Result<()> {
        for archive in &unit.archives {
            transcript.must(Command::new("ar").arg("r").arg(archive).arg(&unit.object))?;
        }
        Ok(())
    }

    /// What a mutant has changed becomes what it was.
    ///
    /// # Errors
    /// When files cannot be written.
    pub fn restore(&self, unit: &Unit) -> Result<()> {
        fs::write(&unit.source, &unit.text)?;
        fs::write(&unit.object, &unit.compiled)?;
        self.put_into_archives(unit, &Transcript::default())
    }

    /// `patchgen diff --json` of the base and a build.
    pub fn diff(&self, new: &Path) -> Command {
        let mut command = Command::new(self.tools.path("patchgen"));
        command.args(["diff", "--json"]).args([&self.base, new]);
        command
    }

    /// The commands that make a unit's mutant, as one would type them.
    pub fn commands(&self, unit: &Unit) -> String {
        let compiler = self.tools.path("dsu-cc");
        let mut lines = vec![shell_line(&unit.compile.command(&compiler))];
        lines.extend(
            unit.archives.iter().map(|archive| format!("ar r {} {}", archive.display(), unit.object.display())),
        );
        lines.push(shell_line(&self.link.command(&compiler)));
        lines.join("\n")
    }
}
