//! One mutant after the other: made, compiled, judged; and the program is again what it was.
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use serde::Serialize;

use super::answer::{Outcome, judge};
use super::change::{Source, change};
use super::mode::Mode;
use super::oracle::{self, Contents, Differences};
use super::tree::{Tree, Unit};
use super::{lex, shift};
use crate::process::{Transcript, shell_line};

/// A mutant that compiled, and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Mutant {
    /// The program.
    pub program: String,
    /// What makes it again.
    pub seed: u64,
    /// What was changed.
    pub mode: Mode,
    /// Name of the change.
    pub change: String,
    /// File and line.
    pub place: String,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What the oracle sees.
    pub differences: Differences,
    /// Seconds it took.
    pub seconds: f64,
    /// For a failure: the edit, and the commands to repeat it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub story: String,
}

/// How often in a row mutants may not compile.
const TRIES: u64 = 200;

/// Makes `count` mutants that compile, from `seed` on, and tells each. Failing ones are left in `keep`.
///
/// # Errors
/// When commands cannot be run, or hardly anything compiles.
pub fn run(
    tree: &Tree,
    (program, mode): (&str, Mode),
    (seed, count): (u64, u64),
    keep: &Path,
    told: &mut dyn FnMut(&Mutant),
) -> Result<()> {
    let (mut next, mut done, mut in_vain) = (seed, 0, 0);
    let mut plain = Plain { folder: tempfile::tempdir()?, contents: BTreeMap::new() };
    while done < count {
        let made = mutant(tree, &mut plain, (program, mode), next, keep);
        next += 1;
        match made.with_context(|| format!("seed {}", next - 1))? {
            Some(mutant) => {
                told(&mutant);
                (done, in_vain) = (done + 1, 0);
            }
            None => in_vain += 1,
        }
        ensure!(in_vain < TRIES, "{TRIES} mutants of {program} in a row do not compile");
    }
    Ok(())
}

/// Plain clang's objects of the units as they are in the base, each made when it is first wanted.
struct Plain {
    folder: tempfile::TempDir,
    contents: BTreeMap<PathBuf, (PathBuf, Contents)>,
}

impl Plain {
    fn of(&mut self, tree: &Tree, unit: &Unit) -> Result<&(PathBuf, Contents)> {
        if !self.contents.contains_key(&unit.source) {
            let object = self.folder.path().join(format!("{}.o", self.contents.len()));
            let transcript = Transcript::default();
            ensure!(
                tree.compile_plain(unit, &object, &transcript)?,
                "plain clang does not take `{}`",
                unit.source.display()
            );
            let contents = oracle::contents(&object)?;
            self.contents.insert(unit.source.clone(), (object, contents));
        }
        Ok(&self.contents[&unit.source])
    }
}

/// An edited unit.
struct Edited<'t> {
    unit: &'t Unit,
    text: String,
    change: &'static str,
    place: String,
}

fn edit<'t>(tree: &'t Tree, mode: Mode, rng: &mut Rng) -> Option<Edited<'t>> {
    let unit = &tree.units[rng.usize(0..tree.units.len())];
    let tokens = lex::tokens(&unit.text);
    let items = lex::items(&unit.text, &tokens);
    let source = Source { text: &unit.text, tokens: &tokens, items: &items };
    let (change, edits) = match mode {
        Mode::Tokens => change(&source, rng).map(|(name, edit)| (name, vec![edit]))?,
        Mode::Lines => ("lines", shift::lines(&unit.text, rng)),
        Mode::Order => ("order", shift::order(&source, rng)),
    };
    let begin = edits.first()?.0.start;
    let line = unit.text[..begin].matches('\n').count() + 1;
    let text = shift::apply(&unit.text, &edits);
    (text != unit.text).then(|| Edited { unit, text, change, place: format!("{}:{line}", unit.name()) })
}

/// Makes one mutant; nothing when it does not compile.
fn mutant(
    tree: &Tree,
    plain: &mut Plain,
    (program, mode): (&str, Mode),
    seed: u64,
    keep: &Path,
) -> Result<Option<Mutant>> {
    let begin = Instant::now();
    let Some(edited) = edit(tree, mode, &mut Rng::with_seed(seed)) else { return Ok(None) };
    let unit = edited.unit;
    let (old, before) = plain.of(tree, unit)?;
    let folder = tempfile::tempdir()?;
    let new = folder.path().join("new.o");
    let transcript = Transcript::default();
    fs::write(&unit.source, &edited.text)?;
    let judged = (|| -> Result<_> {
        if !tree.compile_plain(unit, &new, &transcript)? {
            return Ok(None);
        }
        let differences = oracle::compare(before, &oracle::contents(&new)?);
        // What plain clang takes with `-w` the program's own flags may make an error of.
        let Ok(linked) = tree.link_with(unit, &transcript) else { return Ok(None) };
        let said = transcript.run(&mut tree.diff(linked))?;
        let outcome = judge(mode, &unit.name(), &said, &differences)?;
        if outcome.is_wrong() {
            fs::copy(old, folder.path().join("old.o"))?;
            fs::copy(linked, folder.path().join("new")).context("cannot keep a mutant")?;
        }
        Ok(Some((differences, outcome)))
    })();
    tree.restore(unit)?;
    let Some((differences, outcome)) = judged? else { return Ok(None) };
    let story = if outcome.is_wrong() {
        story(tree, &edited, (program, mode, seed), folder.path(), keep)?
    } else {
        String::new()
    };
    Ok(Some(Mutant {
        program: program.to_owned(),
        seed,
        mode,
        change: edited.change.to_owned(),
        place: edited.place,
        outcome,
        differences,
        seconds: begin.elapsed().as_secs_f64(),
        story,
    }))
}

/// Keeps all that a person needs to look into a failure, and says how.
fn story(
    tree: &Tree,
    edited: &Edited<'_>,
    (program, mode, seed): (&str, Mode, u64),
    made: &Path,
    keep: &Path,
) -> Result<String> {
    let mode = mode.name();
    let kept = keep.join(format!("{program}-{mode}-{seed}"));
    fs::create_dir_all(&kept)?;
    fs::write(kept.join("old.c"), &edited.unit.text)?;
    fs::write(kept.join("new.c"), &edited.text)?;
    fs::copy(&tree.base, kept.join("old"))?;
    for file in ["old.o", "new.o", "new"] {
        fs::copy(made.join(file), kept.join(file)).with_context(|| format!("cannot keep `{file}`"))?;
    }
    let transcript = Transcript::default();
    let diff = transcript.run(Command::new("diff").args(["-u", "old.c", "new.c"]).current_dir(&kept))?;
    let folder = kept.display();
    Ok(format!(
        "{}again: dsu-bench mutants --program {program} --mode {mode} --mutants 1 --seed {seed}\nby hand, in the tree of the program:\n{}\n\
         kept: patchgen diff {folder}/old {folder}/new; objdump -dr {folder}/old.o, {folder}/new.o\n{}",
        diff.stdout,
        tree.commands(edited.unit),
        shell_line(&tree.diff(Path::new("new"))),
    ))
}
