//! `examples/kvd`: what its README promises.
use std::time::Duration;

use testsuite::real::command::dsuctl;
use testsuite::real::compiler::Flavor;
use testsuite::real::journey::{Plan, make_patch, travel};
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

fn travels(kvd: Kvd, flavor: Flavor, changed: &[&str]) {
    run(|| {
        let folder = tempfile::tempdir()?;
        let calm = Duration::from_millis(500);
        let plan = Plan { flavor, folder: folder.path(), cached: true, connections: 8, rate: 0, calm };
        // The answers of all three versions are checked on the way.
        let journey = travel(&kvd, plan, &mut |_| {})?;
        assert_eq!(journey.load.failed, 0, "{:?}", journey.load.failures);
        for function in changed {
            assert!(journey.functions.iter().any(|name| name == function), "{function} in {:?}", journey.functions);
        }
        Ok(())
    });
}

#[test]
fn v1_becomes_v2_and_v1_again_armed() {
    travels(Kvd::V2, Flavor::Armed, &["store_add"]);
}

#[test]
fn v1_becomes_v2_and_v1_again_always() {
    travels(Kvd::V2, Flavor::Always, &["store_add"]);
}

#[test]
fn v1_becomes_v3_and_v1_again_armed() {
    travels(Kvd::V3, Flavor::Armed, &["store_add", "store_get", "store_set", "cmd_stats"]);
}

#[test]
fn v1_becomes_v3_and_v1_again_always() {
    travels(Kvd::V3, Flavor::Always, &["store_add", "store_get", "store_set", "cmd_stats"]);
}

#[test]
fn a_later_patch_goes_on_top_of_an_earlier_one() {
    run(|| {
        let (mut running, folder) = start(Kvd::V3, Version::Old, Flavor::Armed)?;
        let old = Kvd::V3.cached_build(Version::Old, Flavor::Armed)?;
        let pid = running.server().pid().to_string();
        running.ask("set name 0 alice")?;
        for (kvd, name) in [(Kvd::V2, "v2.dsu"), (Kvd::V3, "v3.dsu")] {
            let patch = folder.path().join(name);
            make_patch(&old, &kvd.cached_build(Version::New, Flavor::Armed)?, &patch)?;
            dsuctl(folder.path(), &["apply", &pid, &patch.to_string_lossy()])?;
            assert_eq!(running.ask("incr name 1")?, "ERROR value is not a number", "{name}");
        }
        assert_eq!(running.probe()?, Kvd::V3.answer(Version::New));
        dsuctl(folder.path(), &["revert", &pid])?;
        assert_eq!(running.ask("incr name 1")?, "ERROR value is not a number", "back at v2");
        dsuctl(folder.path(), &["revert", &pid])?;
        assert_eq!(running.probe()?, Kvd::V3.answer(Version::Old));
        assert_eq!(running.ask("incr name 1")?, "VALUE 1", "the value v2 and v3 kept is still there");
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
        // The server learns of a closed connection when its loop comes around.
        let closed = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            kvd.count("connections").is_ok_and(|count| count == 1)
        });
        assert!(closed, "the load's connections are closed");
        Ok(())
    });
}
