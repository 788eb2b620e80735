//! `examples/sqld` speaks its protocol.
use testsuite::real::compiler::Flavor;
use testsuite::real::skip::run;
use testsuite::real::sqld::{RunningSqld, Sqld};
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
