//! Mutants of small real programs: patchgen must find what plain clang's objects show, and nothing else. `dsu-bench mutants`
//! makes more of them, of larger programs.
use anyhow::{Result, ensure};
use testsuite::mutants::mode::Mode;
use testsuite::mutants::programs::program;
use testsuite::mutants::trial::{Mutant, run};
use testsuite::mutants::{tally, tree};
use testsuite::real::skip;

/// The same mutants every time, unless `DSU_MUTANTS_SEED` says where to begin.
const SEED: u64 = 1;

fn mutants(word: &str, plan: &[(Mode, u64)]) -> Result<Vec<Mutant>> {
    let seed = std::env::var("DSU_MUTANTS_SEED").ok().map_or(Ok(SEED), |seed| seed.parse())?;
    let (folder, keep) = (tempfile::tempdir()?, tempfile::Builder::new().prefix("dsu-mutants-").tempdir()?);
    let tree = tree::build(program(word)?, folder.path())?;
    let mut mutants = Vec::new();
    for (mode, count) in plan {
        run(&tree, (word, *mode), (seed, *count), keep.path(), &mut |mutant| mutants.push(mutant.clone()))?;
    }
    let wrong: Vec<String> = mutants.iter().filter(|m| m.outcome.is_wrong()).map(ToString::to_string).collect();
    if !wrong.is_empty() {
        let kept = keep.keep();
        panic!("{} mutants went wrong, left in {}:\n{}", wrong.len(), kept.display(), wrong.join("\n\n"));
    }
    eprintln!("{}", tally::rows(&mutants).iter().map(|row| row.join(" ")).collect::<Vec<_>>().join("\n"));
    Ok(mutants)
}

/// How many mutants have code or data that differs; a run without any would say nothing.
fn differing(mutants: &[Mutant]) -> usize {
    mutants.iter().filter(|mutant| !mutant.differences.is_empty()).count()
}

#[test]
fn what_differs_in_mutants_of_lua_is_found() {
    skip::run(|| {
        let mutants = mutants("lua", &[(Mode::Tokens, 14), (Mode::Lines, 2), (Mode::Order, 2)])?;
        ensure!(differing(&mutants) >= 7, "hardly any mutant differs: {mutants:?}");
        Ok(())
    });
}

#[test]
fn what_differs_in_mutants_of_zlib_is_found() {
    skip::run(|| {
        let mutants = mutants("zlib", &[(Mode::Tokens, 8), (Mode::Lines, 2), (Mode::Order, 2)])?;
        ensure!(differing(&mutants) >= 2, "hardly any mutant differs: {mutants:?}");
        Ok(())
    });
}
