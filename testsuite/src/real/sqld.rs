//! `examples/sqld`: a query server around SQLite, and clients that know the right answer to each query.
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::cache;
use super::command::run;
use super::compiler::Flavor;
use super::server::{Server, free_port};
use super::sqlite;
use super::subject::Version;
use crate::tools::workspace;

/// The longest that one query may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Rows that each client adds in a round.
const ROWS: u64 = 40;
/// Rounds after which a client drops its table, so that rounds stay equally long.
const ROUNDS_TO_DROP: u64 = 12;

/// Queries over all sorts of the engine, none of which needs a table; each has the same answer every time.
const CONSTANT: [&str; 12] = [
    "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i+1 FROM n WHERE i<300) SELECT group_concat(i) FROM n a WHERE NOT EXISTS (SELECT 1 FROM n b WHERE b.i<a.i AND a.i%b.i=0)",
    "WITH RECURSIVE f(a,b,n) AS (SELECT 0,1,1 UNION ALL SELECT b,a+b,n+1 FROM f WHERE n<80) SELECT max(a), sum(a), count(*) FROM f",
    "WITH n(i) AS (VALUES(3),(1),(2),(5),(4)) SELECT i, row_number() OVER (ORDER BY i DESC), sum(i) OVER (ORDER BY i ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM n ORDER BY i",
    "SELECT date('2024-02-28','+2 days'), strftime('%j %W %H:%M:%S','2023-12-31 23:59:59'), julianday('2000-01-01'), time('12:00','-90 minutes')",
    "SELECT json_extract('{\"a\":[1,{\"b\":\"c\"}]}','$.a[1].b'), json_array(1,'2',null), json_group_array(value) FROM json_each('[3,2,1]')",
    "SELECT printf('%08.3f|%x|%-6s|%,d',3.14159,255,'ab',1234567), hex('dsu'), quote('it''s'), upper(replace('updated','u','U'))",
    "SELECT 'alpha' LIKE 'A%a', 'alpha' GLOB 'a*a', instr('haystack','st'), substr('abcdef',-3,2), trim('  x  ') || '!', typeof(1.0), typeof(x'00')",
    "SELECT round(avg(x),4), min(x), max(x), total(x) FROM (SELECT 1 AS x UNION SELECT 2.5 UNION SELECT 10 EXCEPT SELECT 3)",
    "SELECT CASE WHEN 5 BETWEEN 1 AND 9 THEN 'in' ELSE 'out' END, coalesce(NULL,NULL,7), nullif(1,1) IS NULL, 7/2, 7%3, 7.0/2, 1<<20, ~5, 6&3, 6|3",
    "SELECT 9223372036854775807 + 1, -9223372036854775808, abs(-4), cast('12abc' AS INTEGER), cast(3.9 AS INTEGER), 0.1+0.2",
    "SELECT * FROM nothing_of_this_name",
    "SELEKT 1",
];

/// The server with the engine before or after the change of [`sqlite`].
#[derive(Clone, Copy, Debug)]
pub struct Sqld;

impl Sqld {
    /// Builds it in `folder`, which is empty; the executable.
    pub fn build(version: Version, flavor: Flavor, folder: &Path) -> Result<PathBuf> {
        let amalgamation = folder.join("amalgamation");
        fs::create_dir_all(&amalgamation)?;
        sqlite::write_source(version, &amalgamation)?;
        let mut make = Command::new("make");
        make.args(["--silent", "-C"]).arg(workspace().join("examples/sqld"));
        make.arg(format!("O={}", folder.join("build").display())).arg(format!("SQLITE={}", amalgamation.display()));
        make.arg(format!("CC={}", flavor.compiler()?.display()));
        flavor.prepare(&mut make);
        run(&mut make, &[0]).context("sqld cannot be built")?;
        Ok(folder.join("build/sqld"))
    }

    /// A build kept from run to run, as long as neither tools nor sources change.
    pub fn cached_build(version: Version, flavor: Flavor) -> Result<PathBuf> {
        let mut inputs = flavor.inputs()?;
        let sources = fs::read_dir(workspace().join("examples/sqld/src"))?;
        inputs.extend(sources.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?);
        inputs.push(workspace().join("examples/sqld/Makefile"));
        inputs.sort();
        let key = cache::key(&inputs, &[flavor.name(), version.name()])?;
        let folder = cache::once(&format!("sqld-{key}"), |folder| Self::build(version, flavor, folder).map(drop))?;
        Ok(folder.join("build/sqld"))
    }
}

/// A sqld that runs.
#[derive(Debug)]
pub struct RunningSqld {
    /// The process.
    pub server: Server,
    /// Where it listens.
    pub address: SocketAddr,
}

impl RunningSqld {
    /// Starts it with 4 threads, on a new database in `folder`.
    pub fn start(executable: &Path, folder: &Path) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut command = Command::new(executable);
        command.args(["-t", "4", "-p", &address.port().to_string()]).arg(folder.join("sqld.db"));
        command.env("DSU_RUNTIME_DIR", folder);
        let mut server = Server::start(&mut command, folder.join("sqld.log"))?;
        server.wait_for(address)?;
        Ok(Self { server, address })
    }

    /// A connection of one's own.
    pub fn connect(&self) -> Result<Client> {
        Client::connect(self.address)
    }
}

/// A connection.
#[derive(Debug)]
pub struct Client {
    socket: TcpStream,
    lines: BufReader<TcpStream>,
}

impl Client {
    fn connect(address: SocketAddr) -> Result<Self> {
        let socket = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_nodelay(true)?;
        Ok(Self { lines: BufReader::new(socket.try_clone()?), socket })
    }

    /// Runs a statement: its rows and its last line.
    pub fn ask(&mut self, statement: &str) -> Result<String> {
        self.socket.write_all(format!("{statement}\n").as_bytes())?;
        let mut reply = String::new();
        loop {
            let begin = reply.len();
            let got = self.lines.read_line(&mut reply).with_context(|| format!("no reply to `{statement}`"))?;
            ensure!(got > 0, "the connection ended in the reply to `{statement}`");
            if reply[begin..].starts_with("OK ") || reply[begin..].starts_with("ERROR ") {
                return Ok(reply.trim_end().to_owned());
            }
        }
    }

    fn expect(&mut self, statement: &str, reply: &str) -> Result<()> {
        let got = self.ask(statement)?;
        ensure!(got == reply, "`{statement}`: `{got}` instead of `{reply}`");
        Ok(())
    }
}

/// Clients that go on until they are stopped, or get a wrong answer.
#[derive(Debug)]
pub struct Queries {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    clients: Vec<JoinHandle<Result<u64>>>,
    address: SocketAddr,
}

impl Queries {
    /// Begins; when it returns, each client has learnt the constant answers.
    pub fn start(address: SocketAddr, clients: usize) -> Result<Self> {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut first = Client::connect(address)?;
        first.expect("CREATE TABLE tally(client INTEGER PRIMARY KEY, rounds INT)", "OK 0")?;
        let truth = CONSTANT.map(|query| first.ask(query));
        let truth = Arc::new(truth.into_iter().collect::<Result<Vec<_>>>()?);
        ensure!(truth.iter().filter(|reply| reply.contains("ERROR")).count() == 2, "queries fail: {truth:#?}");
        let clients = (0..clients)
            .map(|name| {
                let (stop, answered, truth) = (Arc::clone(&stop), Arc::clone(&answered), Arc::clone(&truth));
                std::thread::spawn(move || work(address, name, &truth, &stop, &answered))
            })
            .collect();
        Ok(Self { stop, answered, clients, address })
    }

    /// Queries answered rightly so far.
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Whether a client has given up.
    pub fn failed(&self) -> bool {
        self.clients.iter().any(JoinHandle::is_finished)
    }

    /// Ends them and looks at the database as a whole; the number of queries, all answered rightly.
    ///
    /// # Errors
    /// With the first wrong answer.
    pub fn stop(self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        let mut rounds = 0;
        let count = self.clients.len();
        for client in self.clients {
            rounds += client.join().map_err(|_| anyhow::anyhow!("a client panicked"))??;
        }
        let mut last = Client::connect(self.address)?;
        last.expect("SELECT count(*), sum(rounds) FROM tally", &format!("{count}|{rounds}\nOK 1"))?;
        last.expect("PRAGMA integrity_check", "ok\nOK 1")?;
        Ok(self.answered.load(Ordering::Relaxed))
    }
}

/// One client; its rounds.
fn work(address: SocketAddr, name: usize, truth: &[String], stop: &AtomicBool, answered: &AtomicU64) -> Result<u64> {
    let mut client = Client::connect(address)?;
    client.expect(&format!("INSERT INTO tally VALUES({name}, 0)"), "OK 0")?;
    let mut rounds = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        // Each table has a name of its own: a connection that has not yet seen a table go, which another worker has
        // dropped, refuses to make one of the same name. That is how SQLite is.
        let table = format!("{name}_{}", rounds / ROUNDS_TO_DROP);
        if rounds.is_multiple_of(ROUNDS_TO_DROP) {
            if let Some(former) = (rounds / ROUNDS_TO_DROP).checked_sub(1) {
                client.expect(&format!("DROP TABLE item{name}_{former}"), "OK 0")?;
            }
            client
                .expect(&format!("CREATE TABLE item{table}(id INTEGER PRIMARY KEY, bucket INT, word TEXT)"), "OK 0")?;
            client.expect(&format!("CREATE INDEX by_bucket{table} ON item{table}(bucket, word)"), "OK 0")?;
        }
        let asked = round(&mut client, &table, rounds % ROUNDS_TO_DROP)?;
        for (query, reply) in CONSTANT.iter().zip(truth) {
            client.expect(query, reply)?;
        }
        client.expect(&format!("UPDATE tally SET rounds = rounds + 1 WHERE client = {name}"), "OK 0")?;
        rounds += 1;
        answered.fetch_add(asked + CONSTANT.len() as u64 + 1, Ordering::Relaxed);
    }
    Ok(rounds)
}

/// Writes and reads its own table, of which it knows every row: ids from 1, buckets `id % 7`, words `w<id>`, and of every
/// fifth row of an earlier round the word has been doubled. The number of queries.
fn round(client: &mut Client, name: &str, earlier: u64) -> Result<u64> {
    let (from, to) = (earlier * ROWS, (earlier + 1) * ROWS);
    let insert = format!(
        "WITH RECURSIVE n(i) AS (SELECT {} UNION ALL SELECT i+1 FROM n WHERE i<{to}) \
         INSERT INTO item{name} SELECT i, i%7, 'w' || i FROM n",
        from + 1
    );
    client.expect(&insert, "OK 0")?;
    client.expect(
        &format!("SELECT count(*), sum(id), min(id), max(id) FROM item{name}"),
        &format!("{to}|{}|1|{to}\nOK 1", to * (to + 1) / 2),
    )?;
    let buckets: String = (0..7)
        .map(|bucket| {
            let ids = (1..=to).filter(|id| id % 7 == bucket);
            format!("{bucket}|{}|{}\n", ids.clone().count(), ids.sum::<u64>())
        })
        .collect();
    let grouped = format!("SELECT bucket, count(*), sum(id) FROM item{name} GROUP BY bucket ORDER BY bucket");
    client.expect(&grouped, &format!("{buckets}OK 7"))?;
    let pairs = (1..=to).filter(|id| id % 7 == 3).count();
    let join = format!("SELECT count(*) FROM item{name} a JOIN item{name} b USING(bucket) WHERE a.bucket = 3");
    client.expect(&join, &format!("{}\nOK 1", pairs * pairs))?;
    let word = |id: u64| if id.is_multiple_of(5) && id <= from { format!("w{id}w{id}") } else { format!("w{id}") };
    let last: String = (to - 4..=to).rev().map(|id| format!("{id}|{}\n", word(id))).collect();
    client.expect(&format!("SELECT id, word FROM item{name} ORDER BY id DESC LIMIT 5"), &format!("{last}OK 5"))?;
    let lengths: usize = (1..=to).map(|id| word(id).len()).sum();
    client.expect(
        &format!("SELECT sum(length(word)), count(DISTINCT word) FROM item{name}"),
        &format!("{lengths}|{to}\nOK 1"),
    )?;
    client.expect(&format!("UPDATE item{name} SET word = word || word WHERE id % 5 = 0 AND id > {from}"), "OK 0")?;
    Ok(7)
}
