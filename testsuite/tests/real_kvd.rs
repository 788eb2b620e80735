//! `examples/kvd`: what its README promises.
use std::time::Duration;

use testsuite::real::compiler::Flavor;
use testsuite::real::kvd::{Kvd, RunningKvd};
use testsuite::real::load::{Load, Options, Protocol};
use testsuite::real::skip::run;
use testsuite::real::subject::{Live, Subject, Version};

fn start(kvd: Kvd, version: Version, flavor: Flavor) -> anyhow::Result<(RunningKvd, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let executable = kvd.cached_build(version, flavor)?;
    Ok((RunningKvd::start(kvd, &executable, folder.path())?, folder))
}

#[test]
fn the_protocol_is_as_described() {
    run(|| {
        let (kvd, _folder) = start(Kvd::V2, Version::Old, Flavor::Plain)?;
        for (request, reply) in [
            ("set color 0 dark  blue", "STORED"),
            ("get color", "VALUE dark  blue"),
            ("set n 0 41", "STORED"),
            ("incr n 1", "VALUE 42"),
            ("incr n one", "ERROR incr wants KEY NUMBER"),
            ("incr absent 1", "MISSING"),
            ("del n", "DELETED"),
            ("del n", "MISSING"),
            ("set x soon y", "ERROR set wants KEY TTL_MS VALUE"),
            ("get", "ERROR get wants a key of at most 250 bytes"),
            ("fetch color", "ERROR no such command"),
        ] {
            assert_eq!(kvd.ask(request)?, reply, "{request}");
        }
        assert_eq!((kvd.count("items")?, kvd.count("hits")?, kvd.count("misses")?), (1, 1, 0));
        Ok(())
    });
}

#[test]
fn each_version_differs_by_its_fix() {
    run(|| {
        for kvd in [Kvd::V2, Kvd::V3] {
            for version in [Version::Old, Version::New] {
                let (running, _folder) = start(kvd, version, Flavor::Plain)?;
                assert_eq!(running.probe()?, kvd.answer(version));
            }
        }
        Ok(())
    });
}

#[test]
fn the_load_generator_notices_a_wrong_value() {
    run(|| {
        let (kvd, _folder) = start(Kvd::V2, Version::Old, Flavor::Plain)?;
        let load = Load::start(Options { keys: 1, connections: 1, ..Options::new(Protocol::Kvd, kvd.address()) })?;
        while load.failed() == 0 && load.answered() < 1_000_000 {
            kvd.ask("set load-0-0 0 foreign")?;
        }
        let report = load.stop()?;
        assert!(report.failed > 0, "{report:?}");
        assert!(report.failures[0].contains("`get load-0-0` got `VALUE foreign`"), "{:?}", report.failures);
        Ok(())
    });
}

#[test]
fn a_load_run_is_counted_and_its_gaps_are_told() {
    run(|| {
        let (mut kvd, _folder) = start(Kvd::V2, Version::Old, Flavor::Plain)?;
        let limit = Duration::from_millis(2_500);
        let mut load = Load::start(Options { rate: 2_000, limit, ..Options::new(Protocol::Kvd, kvd.address()) })?;
        std::thread::sleep(Duration::from_millis(1_800));
        load.mark("now", std::time::Instant::now());
        let report = load.wait()?;
        kvd.server().check_alive()?;
        assert_eq!(report.failed, 0, "{:?}", report.failures);
        assert!((2_000..=5_008).contains(&report.sent), "2,000 a second for 2.5 s, not {}", report.sent);
        let mark = report.mark("now").expect("it was marked");
        assert_eq!(mark.before_us.len(), 1, "only one whole second lies before the one around the mark");
        assert!(mark.around_us >= 1_000 && mark.longest_before_us() >= 1_000, "paced at 4 ms: {mark:?}");
        assert_eq!(kvd.count("connections")?, 1, "the load's connections are closed");
        Ok(())
    });
}
