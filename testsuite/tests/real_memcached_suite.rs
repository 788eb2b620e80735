//! memcached's own tests pass on instrumented builds as they do on a plain one.
use testsuite::real::compiler::Flavor;
use testsuite::real::memcached;
use testsuite::real::skip::run;
use testsuite::real::subject::{Subject, Version};
use testsuite::real::suite;

/// Test files at a time; most of them wait for something.
const JOBS: usize = 8;

#[test]
fn the_same_test_files_pass_on_every_build() {
    run(|| {
        let memcached = memcached::fetch()?;
        let mut plain = None;
        for flavor in Flavor::ALL {
            let executable = memcached.cached_build(Version::Old, flavor)?;
            let tree = executable.parent().expect("the executable is in its tree");
            let outcomes = suite::run(tree, JOBS)?;
            let plain = plain.get_or_insert_with(|| outcomes.clone());
            let passed = outcomes.values().filter(|outcome| outcome.passed).count();
            assert!(passed >= 70, "hardly anything passes on a {} build: {outcomes:#?}", flavor.name());
            let differences = suite::differences(plain, &outcomes);
            assert!(differences.is_empty(), "plain and {}:\n{}", flavor.name(), differences.join("\n"));
        }
        Ok(())
    });
}
