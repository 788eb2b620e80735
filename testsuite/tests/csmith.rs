//! Random programs, updated while they run: patchgen may refuse, but a patched process prints what a fresh one prints.
use testsuite::random::trial;
use testsuite::real::skip::run;

/// Programs of one run; `dsu-bench csmith` does more.
const PROGRAMS: u64 = 50;

/// The same programs every time, unless `DSU_CSMITH_SEED` says where to begin.
const SEED: u64 = 1;

#[test]
fn an_updated_process_prints_what_a_fresh_one_prints() {
    run(|| {
        let seed = std::env::var("DSU_CSMITH_SEED").ok().map_or(Ok(SEED), |seed| seed.parse())?;
        eprintln!("seeds {seed} to {}", seed + PROGRAMS - 1);
        let jobs = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let tally = trial::run(PROGRAMS, seed, jobs, &|_| ())?;
        let rows: Vec<String> = tally.rows().iter().map(|row| row.join(": ")).collect();
        eprintln!("{}", rows.join("\n"));
        let failures: Vec<String> = tally.failures.iter().map(ToString::to_string).collect();
        assert!(failures.is_empty(), "{}", failures.join("\n\n"));
        // A run in which hardly anything could be compared would say nothing.
        assert!(tally.patched * 3 > tally.mutants, "{tally:?}");
        assert!(tally.visible * 4 > tally.patched, "{tally:?}");
        Ok(())
    });
}
