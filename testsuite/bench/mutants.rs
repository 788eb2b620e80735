//! Mutants of real programs: patchgen's answer against an oracle that shares no code with it.
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Args;
use testsuite::mutants::mode::Mode;
use testsuite::mutants::programs::{PROGRAMS, program};
use testsuite::mutants::trial::{Mutant, run};
use testsuite::mutants::{tally, tree};

use crate::progress;
use crate::section::Section;

/// How often the state of a long run is told, in mutants.
const TOLD_EVERY: usize = 25;

/// Which mutants.
#[derive(Args, Clone, Debug)]
pub(crate) struct Plan {
    /// Only these programs.
    #[arg(long)]
    program: Vec<String>,
    /// So many of each that compile.
    #[arg(long, default_value_t = 200)]
    mutants: u64,
    /// Seed of the first one; the next has the next number.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What is changed; several, one after the other.
    #[arg(long, value_enum, default_value = "tokens")]
    mode: Vec<Mode>,
    /// Folder that failing mutants are left in; else a new one.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Writes every mutant as JSON into this file, too, one on each line.
    #[arg(long)]
    outcomes: Option<PathBuf>,
}

pub(crate) fn measure(plan: &Plan) -> Result<Section> {
    let begin = Instant::now();
    let keep = match &plan.keep {
        Some(folder) => folder.clone(),
        None => tempfile::Builder::new().prefix("dsu-mutants-").tempdir()?.keep(),
    };
    let all: Vec<String> = PROGRAMS.iter().map(|program| program.word.to_owned()).collect();
    let mut mutants: Vec<Mutant> = Vec::new();
    for word in if plan.program.is_empty() { &all } else { &plan.program } {
        progress(&format!("{word}: building"));
        let folder = tempfile::Builder::new().prefix("dsu-mutants-").tempdir()?;
        let tree = tree::build(program(word)?, folder.path())?;
        progress(&format!("{word}: {} units, {:.0} s", tree.units.len(), begin.elapsed().as_secs_f64()));
        let mut told = |mutant: &Mutant| {
            // A failure is told when it comes: a long run may be ended before its end.
            if mutant.outcome.is_wrong() {
                eprintln!("{mutant}\n");
            }
            mutants.push(mutant.clone());
            if let Some(Err(error)) = plan.outcomes.as_ref().map(|file| append(file, mutant)) {
                progress(&format!("{error:#}"));
            }
            if mutants.len().is_multiple_of(TOLD_EVERY) {
                let wrong = mutants.iter().filter(|mutant| mutant.outcome.is_wrong()).count();
                progress(&format!("{} mutants, {wrong} wrong, {:.0} s", mutants.len(), begin.elapsed().as_secs_f64()));
            }
        };
        for mode in &plan.mode {
            run(&tree, (word, *mode), (plan.seed, plan.mutants), &keep, &mut told)?;
        }
    }
    let wrong = mutants.iter().filter(|mutant| mutant.outcome.is_wrong()).count();
    let section = Section {
        title: "Mutants of real programs",
        command: command(plan),
        note: format!(
            "`patchgen diff` of each mutant, held against plain clang's object files; {:.0} s.",
            begin.elapsed().as_secs_f64()
        ),
        header: tally::HEADER.map(str::to_owned).to_vec(),
        rows: tally::rows(&mutants),
    };
    ensure!(wrong == 0, "{wrong} mutants went wrong, left in `{}`:\n{}", keep.display(), section.markdown());
    // Nothing is in it then.
    fs::remove_dir(&keep).ok();
    Ok(section)
}

fn append(file: &std::path::Path, mutant: &Mutant) -> Result<()> {
    use std::io::Write;
    let unwritable = || format!("cannot write `{}`", file.display());
    let mut out = fs::OpenOptions::new().append(true).create(true).open(file).with_context(unwritable)?;
    writeln!(out, "{}", serde_json::to_string(mutant).expect("a mutant has string keys only")).with_context(unwritable)
}

fn command(plan: &Plan) -> String {
    let programs: String = plan.program.iter().map(|word| format!(" --program {word}")).collect();
    let modes: String = plan.mode.iter().map(|mode| format!(" --mode {}", mode.name())).collect();
    format!("dsu-bench mutants{programs}{modes} --mutants {} --seed {}", plan.mutants, plan.seed)
}
