//! memcached as Debian ships it, built, put under load and updated.
use std::time::Duration;

use testsuite::real::command::dsuctl;
use testsuite::real::compiler::Flavor;
use testsuite::real::journey::{Plan, make_patch, travel};
use testsuite::real::load::{Load, Options};
use testsuite::real::memcached;
use testsuite::real::skip::run;
use testsuite::real::subject::{Subject, Version};

/// Resident memory may move by this much over the rounds: what the load touches for the first time.
const SLACK_KIB: u64 = 4096;

#[test]
fn the_fix_is_visible_in_plain_builds() {
    run(|| {
        let memcached = memcached::fetch()?;
        for version in [Version::Old, Version::New] {
            let folder = tempfile::tempdir()?;
            let executable = memcached.cached_build(version, Flavor::Plain)?;
            let running = memcached.start(&executable, folder.path())?;
            assert_eq!(running.probe()?, memcached.answer(version));
        }
        Ok(())
    });
}

fn update_under_load(flavor: Flavor) {
    run(|| {
        let folder = tempfile::tempdir()?;
        let calm = Duration::from_secs(2);
        let plan = Plan { flavor, folder: folder.path(), cached: true, connections: 8, rate: 0, calm };
        // The answers of all three versions are checked on the way.
        let journey = travel(&memcached::fetch()?, plan, &mut |_| {})?;
        assert_eq!(journey.load.failed, 0, "{:?}", journey.load.failures);
        assert!(journey.load.sent > 10_000, "hardly any load: {} requests", journey.load.sent);
        assert!(journey.functions.iter().any(|name| name.contains("proxy_process_command")), "{:?}", journey.functions);
        Ok(())
    });
}

#[test]
fn a_loaded_memcached_is_updated_and_taken_back_armed() {
    update_under_load(Flavor::Armed);
}

#[test]
fn a_loaded_memcached_is_updated_and_taken_back_always() {
    update_under_load(Flavor::Always);
}

#[test]
fn a_thousand_rounds_leave_no_trace() {
    run(|| {
        let memcached = memcached::fetch()?;
        let folder = tempfile::tempdir()?;
        let old = memcached.cached_build(Version::Old, Flavor::Armed)?;
        let patch = folder.path().join("fix.dsu");
        make_patch(&old, &memcached.cached_build(Version::New, Flavor::Armed)?, &patch)?;
        let mut live = memcached.start(&old, folder.path())?;
        let limit = Duration::from_secs(600);
        let load = Load::start(Options { limit, ..Options::new(live.protocol(), live.address()) })?;
        let (pid, patch) = (live.server().pid().to_string(), patch.to_string_lossy().into_owned());
        let mut warm = 0;
        for round in 0..1_000 {
            dsuctl(folder.path(), &["apply", &pid, &patch])?;
            if round % 100 == 0 {
                assert_eq!(live.probe()?, memcached.answer(Version::New), "applied, round {round}");
            }
            dsuctl(folder.path(), &["revert", &pid])?;
            if round % 100 == 0 {
                assert_eq!(live.probe()?, memcached.answer(Version::Old), "reverted, round {round}");
            }
            if round == 100 {
                warm = live.server().resident_kib()?;
            }
        }
        let report = load.stop()?;
        live.server().check_alive()?;
        assert_eq!(report.failed, 0, "{:?}", report.failures);
        let end = live.server().resident_kib()?;
        assert!(end <= warm + SLACK_KIB, "resident memory grew from {warm} to {end} KiB over 900 rounds");
        Ok(())
    });
}
