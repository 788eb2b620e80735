//! Every case below `cases/` in each of its configs and dispatches.

use std::path::Path;

fn main() {
    let arguments = libtest_mimic::Arguments::from_args();
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cases");
    match testsuite::runner::trials(&work) {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit(),
        Err(error) => {
            eprintln!("{error:#}");
            std::process::exit(1);
        }
    }
}
