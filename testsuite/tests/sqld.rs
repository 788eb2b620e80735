//! `examples/sqld`: all of SQLite is replaced by a copy of itself again and again while it answers, and every answer is
//! right. It is the experiment of the PSU paper, there with a storage engine of MySQL.
use std::time::Duration;

use anyhow::ensure;
use testsuite::churn::{Churn, churn};
use testsuite::identity;
use testsuite::programs::Consistency;
use testsuite::real::compiler::Flavor;
use testsuite::real::skip::run;
use testsuite::real::sqld::{Queries, RunningSqld, Sqld};
use testsuite::real::subject::Version;

#[test]
fn the_protocol_is_as_described() {
    run(|| {
        let folder = tempfile::tempdir()?;
        let sqld = RunningSqld::start(&Sqld::cached_build(Version::Old, Flavor::Plain)?, folder.path())?;
        let mut client = sqld.connect()?;
        for (statement, reply) in [
            ("CREATE TABLE color(name TEXT, dark INT)", "OK 0"),
            ("INSERT INTO color VALUES('black', 1), ('white', NULL)", "OK 0"),
            ("SELECT name, dark FROM color ORDER BY name", "black|1\nwhite|NULL\nOK 2"),
            ("SELECT 'two' || char(10) || 'lines'", "two lines\nOK 1"),
            ("SELECT * FROM nobody", "ERROR no such table: nobody"),
            ("", "OK 0"),
        ] {
            assert_eq!(client.ask(statement)?, reply, "{statement}");
        }
        Ok(())
    });
}

#[test]
fn every_answer_is_right_while_the_whole_engine_changes_in_newest() {
    replaced_under_load(Consistency::Newest);
}

#[test]
fn every_answer_is_right_while_the_whole_engine_changes_in_thread() {
    replaced_under_load(Consistency::Thread);
}

fn replaced_under_load(consistency: Consistency) {
    run(|| {
        let folder = tempfile::tempdir()?;
        let program = Sqld::cached_build(Version::Old, Flavor::Armed)?;
        let patches = identity::patches(&program)?;
        let mut sqld = RunningSqld::start(&program, folder.path())?;
        let queries = Queries::start(sqld.address, 6)?;
        let plan = Churn {
            sockets: folder.path(),
            pid: sqld.server.pid(),
            patches: &patches,
            consistency,
            updates: 60,
            longest_pause: Duration::from_millis(60),
            seed: 1,
        };
        let outcome = churn(plan, &mut |_| {
            ensure!(!queries.failed(), "a client got a wrong answer, or none");
            Ok(())
        });
        let answered = queries.stop()?;
        sqld.server.check_alive()?;
        let outcome = outcome?;
        println!("{answered} queries, {} applied, {} reverted", outcome.applied, outcome.reverted);
        println!("dsuctl: median {:?}, longest {:?}", outcome.time(0.5), outcome.time(1.0));
        assert!(answered > 500 && outcome.applied > 20 && outcome.reverted > 5, "{answered} {outcome:?}");
        Ok(())
    });
}
