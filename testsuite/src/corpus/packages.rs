//! The packages with a series: how each is built, and the work it is given. The servers that are asked in clear text; see
//! [`super::web`] for those that speak HTTP.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::crates::{Driver, drivers, library};
use super::make::build_in;
use super::series::Series;
use super::{Running, web};
use crate::case;
use crate::real::compiler::Flavor;
use crate::real::server::ask;
use crate::real::subject::Live;
use crate::real::{memcached, redis};

/// All of them.
pub const SERIES: [Series; 9] = [
    Series {
        word: "memcached",
        package: "memcached",
        suite: None,
        make: |tree| memcached::make(tree, Flavor::Armed),
        start: |executable, folder| serving((memcached::RECIPE.start)(executable, folder)?, MEMCACHED, memcached_reply),
        inputs: &[],
    },
    Series { word: "redis", package: "redis", suite: None, make: make_redis, start: start_redis, inputs: &[] },
    Series {
        word: "redis-6.0",
        package: "redis",
        suite: Some("bullseye"),
        make: make_redis,
        start: start_redis,
        inputs: &[],
    },
    Series {
        word: "lighttpd",
        package: "lighttpd",
        suite: Some("trixie"),
        make: web::make_lighttpd,
        start: web::start_lighttpd,
        inputs: &[],
    },
    Series {
        word: "tinyproxy",
        package: "tinyproxy",
        suite: None,
        make: web::make_tinyproxy,
        start: web::start_tinyproxy,
        inputs: &[],
    },
    Series { word: "xz", package: "xz-utils", suite: None, make: make_xz, start: Driver::start, inputs: &["xz.c"] },
    Series {
        word: "xz-5.2",
        package: "xz-utils",
        suite: Some("bullseye"),
        make: make_xz,
        start: Driver::start,
        inputs: &["xz.c"],
    },
    Series { word: "lua5.4", package: "lua5.4", suite: None, make: make_lua, start: Driver::start, inputs: &["lua.c"] },
    Series {
        word: "zlib1g",
        package: "zlib",
        suite: Some("bullseye"),
        make: |tree| library("zlib")?.make(tree, tree),
        start: Driver::start,
        inputs: &["zlib.c"],
    },
];

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
    EVAL \"return {1,2,{3,'x'}}\" 0\r\nEVAL \"return cjson.encode({1,2,3})\" 0\r\n\
    EVAL \"return cjson.encode({[1]=1,[30]=2})\" 0\r\nEVAL \"return cjson.encode({0.1,1/3,2^60,{a={{}}}})\" 0\r\n\
    EVAL \"local t={} for i=1,1100 do t={t} end return pcall(cjson.encode,t) and 1 or 2\" 0\r\n\
    EVAL \"return cjson.decode('[1,[2,{\\\"a\\\":null}]]')[1]\" 0\r\nEVAL \"return cjson.decode('[1,')\" 0\r\n\
    EVAL \"return cmsgpack.pack({1,'x',{a=1.5}})\" 0\r\nEVAL \"return cmsgpack.unpack(cmsgpack.pack({7,8}))\" 0\r\n\
    EVAL \"return struct.pack('<i2s',1,'ab')\" 0\r\nEVAL \"return bit.tohex(255)\" 0\r\nACL SETUSER bob %\r\nACL DELUSER bob\r\n\
    KEYS [a-\r\nOBJECT ENCODING l\r\nSORT l\r\nTYPE z\r\nNOSUCH\r\nGET\r\nEXPIRE a -1\r\nEXISTS a\r\nECHO done\r\n",
];

/// redis with all that it brings along.
fn make_redis(tree: &Path) -> Result<PathBuf> {
    // Debian's rules write into this which of Lua's libraries are the system's: none here.
    fs::write(tree.join("debian/lua_libs_debian.c"), "")?;
    if tree.join("src/redis-server").exists() {
        redis::remake_libraries(tree, Flavor::Armed)?;
    }
    redis::make(tree, Flavor::Armed)
}

fn start_redis(executable: &Path, folder: &Path) -> Result<Box<dyn Running>> {
    serving((redis::RECIPE.start)(executable, folder)?, REDIS, redis_reply)
}

/// Lua, after what Debian's rules generate.
fn make_lua(tree: &Path) -> Result<PathBuf> {
    fs::write(tree.join("src/lua5.4-deb-multiarch.h"), "#define DEB_HOST_MULTIARCH \"x86_64-linux-gnu\"\n")?;
    library("lua")?.make(tree, tree)
}

/// All of `xz`, with the driver beside it: what it links with is `LIBS`, what was `main` the driver calls in a child.
fn make_xz(tree: &Path) -> Result<PathBuf> {
    let compiler = Flavor::Armed.compiler()?;
    if !tree.join("Makefile").exists() {
        let mut configure = Command::new("./configure");
        configure.args(["--disable-shared", "--disable-nls", "--disable-doc", "--disable-scripts"]);
        build_in(tree, configure.env("CC", &compiler))?;
    }
    let mut compile = Command::new(&compiler);
    compile.args(["-O2", "-w", "-Isrc/liblzma/api", "-I"]).arg(case::root().join("include"));
    compile.args(["-c", "-o", "driver.o"]).arg(drivers().join("xz.c"));
    build_in(tree, &mut compile)?;
    build_in(&tree.join("src/liblzma"), Command::new("make").arg("-j2"))?;
    let mut make = Command::new("make");
    make.args(["-j2", "CPPFLAGS=-Dmain=xz_main", "LIBS=../../driver.o", "xz"]);
    build_in(&tree.join("src/xz"), &mut make)?;
    Ok(tree.join("src/xz/xz"))
}

/// A server that is asked one request after the other, each on a connection of its own.
struct Serving {
    live: Box<dyn Live>,
    requests: &'static [&'static str],
    /// Whether a reply is whole: request, reply so far.
    is_whole: fn(&str, &str) -> bool,
}

fn serving(
    live: Box<dyn Live>,
    requests: &'static [&'static str],
    is_whole: fn(&str, &str) -> bool,
) -> Result<Box<dyn Running>> {
    Ok(Box::new(Serving { live, requests, is_whole }))
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

/// Values take a line of their own, and a list of them has an end.
fn memcached_reply(request: &str, reply: &str) -> bool {
    let is_list = request.starts_with('g');
    let lines = if reply.starts_with("VA ") { 2 } else { 1 };
    reply.ends_with("\r\n") && (!is_list || reply.ends_with("END\r\n")) && reply.lines().count() >= lines
}

fn redis_reply(_: &str, reply: &str) -> bool {
    reply.ends_with("$4\r\ndone\r\n")
}

#[cfg(test)]
mod tests {
    use super::memcached_reply;

    #[test]
    fn a_reply_is_whole_when_its_last_line_is_there() {
        assert!(memcached_reply("set a", "STORED\r\n") && !memcached_reply("set a", "STO"));
        assert!(
            memcached_reply("get a", "VALUE a 0 1\r\nx\r\nEND\r\n") && !memcached_reply("get a", "VALUE a 0 1\r\n")
        );
        assert!(memcached_reply("mg a v", "VA 2\r\nhi\r\n") && !memcached_reply("mg a v", "VA 2\r\n"));
    }
}
