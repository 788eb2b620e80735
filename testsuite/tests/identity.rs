//! Parts of memcached's own tests pass while every function of it is replaced by a copy of itself, again and again.
//! `dsu-bench identity-churn` runs all of them.
use anyhow::Result;
use testsuite::identity::Identity;
use testsuite::programs::Consistency;
use testsuite::real::compiler::Flavor;
use testsuite::real::memcached::Memcached;
use testsuite::real::skip::run;
use testsuite::real::subject::{Subject, Version};
use testsuite::real::suite;

/// A few that last long enough and do many things: commands, binary protocol, eviction, moving slabs, metadump.
const FILES: [&str; 5] = ["binary.t", "basic.t", "lru-crawler.t", "slabs-reassign2.t", "watcher.t"];

fn passes(consistency: Consistency) -> Result<()> {
    let executable = Memcached::fetch()?.cached_build(Version::Old, Flavor::Armed)?;
    let tree = executable.parent().expect("the executable is in its tree");
    let files: Vec<String> = suite::files(tree)?.into_iter().filter(|file| FILES.contains(&&**file)).collect();
    let calm = suite::run_meanwhile(tree, &files, 2, None)?;
    assert!(calm.len() >= 3 && calm.values().all(|outcome| outcome.passed), "{calm:#?}");
    let programs = ["memcached", "memcached-debug"].map(|name| tree.join(name));
    let identity = Identity::new(&programs, consistency)?;
    let outcomes = suite::run_meanwhile(tree, &files, 2, Some(&|sockets| identity.update(sockets)))?;
    println!("applied, reverted, gone: {:?}", identity.counts(20)?);
    let differences = suite::differences(&calm, &outcomes);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    Ok(())
}

#[test]
fn memcached_in_newest() {
    run(|| passes(Consistency::Newest));
}

#[test]
fn memcached_in_thread() {
    run(|| passes(Consistency::Thread));
}
