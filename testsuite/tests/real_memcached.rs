//! memcached as Debian ships it, built, put under load and updated.
use testsuite::real::compiler::Flavor;
use testsuite::real::memcached::Memcached;
use testsuite::real::skip::run;
use testsuite::real::subject::{Subject, Version};

#[test]
fn the_fix_is_visible_in_plain_builds() {
    run(|| {
        let memcached = Memcached::fetch()?;
        for version in [Version::Old, Version::New] {
            let folder = tempfile::tempdir()?;
            let executable = memcached.cached_build(version, Flavor::Plain)?;
            let running = memcached.start(&executable, folder.path())?;
            assert_eq!(running.probe()?, memcached.answer(version));
        }
        Ok(())
    });
}
