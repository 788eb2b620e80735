//! Real programs: fetched, built plain and instrumented, started, put under load, updated while they run.
//!
//! | module | what |
//! |---|---|
//! | [`skip`] | what a test says when the machine lacks something (no network, no tools) |
//! | [`cache`] | where fetched sources and finished builds are kept |
//! | [`command`] | commands that have to succeed, `patchgen` and `dsuctl` among them |
//! | [`source`] | Debian source packages, cut off before or after a named fix |
//! | [`compiler`] | plain clang, `dsu-cc` armed, `dsu-cc` always |
//! | [`memcached`], [`kvd`] | the two servers the whole way is travelled on |
//! | [`subject`] | what those two have in common |
//! | [`server`] | a started process, gone when dropped |
//! | [`load`] | the load generator: every reply checked, every gap seen |
pub mod cache;
pub mod command;
pub mod compiler;
pub mod kvd;
pub mod load;
pub mod memcached;
pub mod server;
pub mod skip;
pub mod source;
pub mod subject;
