//! Real programs: fetched, built plain and instrumented, started, put under load, updated while they run.
//!
//! | module | what |
//! |---|---|
//! | [`skip`] | what a test says when the machine lacks something (no network, no tools) |
//! | [`cache`] | where fetched sources and finished builds are kept |
//! | [`command`] | commands that have to succeed, `patchgen` and `dsuctl` among them |
//! | [`source`] | Debian source packages, cut off before or after a named fix |
//! | [`debian`] | a server built from such a package, before and after a fix |
//! | [`compiler`] | plain clang, `dsu-cc` armed, `dsu-cc` always |
//! | [`memcached`], [`redis`], [`kvd`] | the servers the whole way is travelled on |
//! | [`subject`] | what those have in common |
//! | [`server`] | a started process, gone when dropped |
//! | [`load`] | the load generator: every reply checked, every gap seen |
//! | [`suite`], [`redis_suite`] | the servers' own tests |
//! | [`sqlite`] | one huge translation unit |
//! | [`sqld`] | a query server around SQLite, and clients that know every answer |
//! | [`journey`] | build, patch, apply, prove, revert, prove; for tests and the demonstration |
pub mod cache;
pub mod command;
pub mod compiler;
pub mod debian;
pub mod journey;
pub mod kvd;
pub mod load;
pub mod memcached;
pub mod redis;
pub mod redis_suite;
pub mod server;
pub mod skip;
pub mod source;
pub mod sqld;
pub mod sqlite;
pub mod subject;
pub mod suite;
