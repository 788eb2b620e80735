//! Debian packages: one step for each patch of theirs that touches C.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{Running, Source};
use crate::real::cache;
use crate::real::command::run;
use crate::real::compiler::Flavor;
use crate::real::debian::Recipe;
use crate::real::server::ask;
use crate::real::source::{self, Package};
use crate::real::subject::Live;
use crate::real::{memcached, redis};

/// Programs with a series.
pub const PROGRAMS: [&str; 2] = ["memcached", "redis"];

/// What the version before the first patch is called.
const UNPATCHED: &str = "upstream";

/// A package and what is done with it.
pub struct Series {
    package: Package,
    recipe: Recipe,
    requests: &'static [&'static str],
    /// Whether a reply is whole: request, reply so far.
    is_whole: fn(&str, &str) -> bool,
}

/// Requests of every kind, wrong ones too; each run of them ends by removing what it made. One after the
/// other: this proxy mixes up requests that are sent ahead of replies.
const MEMCACHED: &[&str] = &[
    "set a 5 0 3\r\nabc\r\n",
    "add a 0 0 1\r\nx\r\n",
    "append a 0 0 2\r\nde\r\n",
    "prepend a 0 0 1\r\nz\r\n",
    "get a b a\r\n",
    "set n 0 0 2\r\n41\r\n",
    "incr n 1\r\n",
    "decr n 100\r\n",
    "replace b 0 0 1\r\ny\r\n",
    "mg a s v f\r\n",
    "mg b v\r\n",
    "ms m 2\r\nhi\r\n",
    "mg m v t\r\n",
    "md m\r\n",
    "touch a 100\r\n",
    "gat 100 a\r\n",
    "get                         a n\r\n",
    "no such command\r\n",
    "delete a\r\n",
    "delete n\r\n",
];
/// The same for redis, in one go.
const REDIS: &[&str] = &[
    "FLUSHALL\r\nSET a 1\r\nINCR a\r\nAPPEND a xyz\r\nINCR a\r\nRPUSH l 1 2 3\r\nLRANGE l 0 -1\r\nLPOP l 5\r\n\
    HSET h f 1 g 2\r\nHGETALL h\r\nSADD s a b c\r\nSCARD s\r\nZADD z 1 a 2 b\r\nZRANGEBYSCORE z -inf +inf WITHSCORES\r\n\
    XADD x 1-1 f v\r\nXRANGE x - +\r\nSETRANGE r 5 hi\r\nGETRANGE r 0 -1\r\nBITCOUNT r\r\nPFADD p a b c\r\nPFCOUNT p\r\n\
    GEOADD g 13.361389 38.115556 Palermo\r\nGEOHASH g Palermo\r\nEVAL \"return redis.call('GET','a')\" 0\r\n\
    EVAL \"return {1,2,{3,'x'}}\" 0\r\nEVAL \"return cjson.encode({1,2,3})\" 0\r\nACL SETUSER bob %\r\nACL DELUSER bob\r\n\
    KEYS [a-\r\nOBJECT ENCODING l\r\nSORT l\r\nTYPE z\r\nNOSUCH\r\nGET\r\nEXPIRE a -1\r\nEXISTS a\r\nECHO done\r\n",
];

impl Series {
    /// memcached, with its proxy in front.
    pub fn memcached() -> Result<Self> {
        Ok(Self {
            package: source::fetch(memcached::RECIPE.name)?,
            recipe: memcached::RECIPE,
            requests: MEMCACHED,
            is_whole: memcached_reply,
        })
    }

    /// redis.
    pub fn redis() -> Result<Self> {
        Ok(Self {
            package: source::fetch(redis::RECIPE.name)?,
            recipe: redis::RECIPE,
            requests: REDIS,
            is_whole: |_, reply| reply.ends_with("$4\r\ndone\r\n"),
        })
    }

    /// Builds all versions in one tree, one after the other, each only as far as its patch reaches.
    fn built(&self) -> Result<PathBuf> {
        let key = cache::key(&Flavor::Armed.inputs()?, &[&self.package.version()])?;
        cache::once(&format!("series-{}-{key}", self.recipe.name), |folder| {
            let tree = folder.join("tree");
            self.package.unpack_plain(&tree)?;
            let mut versions = vec![UNPATCHED.to_owned()];
            self.keep(&tree, folder, 0)?;
            for patch in self.package.patches(&tree)? {
                let path = tree.join("debian/patches").join(&patch);
                let mut apply = Command::new("patch");
                run(apply.args(["--silent", "--forward", "-p1", "-i"]).arg(&path).arg("-d").arg(&tree), &[0])?;
                if touches_c(&fs::read_to_string(&path).unwrap_or_default()) {
                    self.keep(&tree, folder, versions.len())?;
                    versions.push(patch);
                }
            }
            fs::write(folder.join("versions"), versions.join("\n")).context("cannot note the versions")
        })
    }

    fn keep(&self, tree: &Path, folder: &Path, number: usize) -> Result<()> {
        let executable = (self.recipe.make)(tree, Flavor::Armed)?;
        fs::copy(executable, folder.join(number.to_string())).map(drop).context("cannot keep a build")
    }
}

/// Values take a line of their own, and a list of them has an end.
fn memcached_reply(request: &str, reply: &str) -> bool {
    let is_list = request.starts_with('g');
    let lines = if reply.starts_with("VA ") { 2 } else { 1 };
    reply.ends_with("\r\n") && (!is_list || reply.ends_with("END\r\n")) && reply.lines().count() >= lines
}

/// Whether a patch changes what is compiled.
fn touches_c(patch: &str) -> bool {
    let changed = patch.lines().filter_map(|line| line.strip_prefix("+++ ")?.split_whitespace().next());
    changed.into_iter().any(|file| (file.ends_with(".c") || file.ends_with(".h")) && !file.contains("/tests/"))
}

impl Source for Series {
    fn name(&self) -> &str {
        self.recipe.name
    }

    fn versions(&self) -> Result<Vec<String>> {
        let versions = fs::read_to_string(self.built()?.join("versions"))?;
        Ok(versions.lines().map(str::to_owned).collect())
    }

    fn build(&self, version: &str) -> Result<PathBuf> {
        let number = self.versions()?.iter().position(|known| known == version);
        Ok(self.built()?.join(number.context("no such version")?.to_string()))
    }

    fn start(&self, executable: &Path, folder: &Path) -> Result<Box<dyn Running>> {
        let live = (self.recipe.start)(executable, folder)?;
        Ok(Box::new(Serving { live, requests: self.requests, is_whole: self.is_whole }))
    }
}

struct Serving {
    live: Box<dyn Live>,
    requests: &'static [&'static str],
    is_whole: fn(&str, &str) -> bool,
}

impl Running for Serving {
    fn pid(&mut self) -> u32 {
        self.live.server().pid()
    }

    fn work(&mut self) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        for request in self.requests {
            let reply = ask(self.live.address(), request, |reply| (self.is_whole)(request, reply))?;
            lines.extend(reply.lines().map(str::to_owned));
        }
        self.live.server().check_alive()?;
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::{memcached_reply, touches_c};

    #[test]
    fn a_reply_is_whole_when_its_last_line_is_there() {
        assert!(memcached_reply("set a", "STORED\r\n") && !memcached_reply("set a", "STO"));
        assert!(
            memcached_reply("get a", "VALUE a 0 1\r\nx\r\nEND\r\n") && !memcached_reply("get a", "VALUE a 0 1\r\n")
        );
        assert!(memcached_reply("mg a v", "VA 2\r\nhi\r\n") && !memcached_reply("mg a v", "VA 2\r\n"));
    }

    #[test]
    fn only_what_is_compiled_counts() {
        assert!(touches_c("--- a/src/x.c\n+++ b/src/x.c\t2024-01-01\n"));
        assert!(!touches_c("+++ b/redis.conf\n+++ b/tests/unit/x.tcl\n"));
    }
}
