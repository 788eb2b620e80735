//! redis as Debian ships it, put under load and updated while its io threads serve.
use std::time::Duration;

use testsuite::real::compiler::Flavor;
use testsuite::real::journey::{Plan, travel};
use testsuite::real::redis;
use testsuite::real::skip::run;

#[test]
fn a_loaded_redis_is_updated_and_taken_back() {
    run(|| {
        let folder = tempfile::tempdir()?;
        let calm = Duration::from_secs(2);
        let plan = Plan { flavor: Flavor::Armed, folder: folder.path(), cached: true, connections: 8, rate: 0, calm };
        // The answers of all three versions are checked on the way.
        let journey = travel(&redis::fetch()?, plan, &mut |_| {})?;
        assert_eq!(journey.load.failed, 0, "{:?}", journey.load.failures);
        assert!(journey.load.sent > 5_000, "hardly any load: {} requests", journey.load.sent);
        assert!(journey.functions.iter().any(|name| name.contains("ACLSetSelector")), "{:?}", journey.functions);
        Ok(())
    });
}
