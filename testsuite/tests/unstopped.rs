//! Nobody is stopped, interrupted or made to wait by an update: `testsuite/programs/unstopped`.
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use testsuite::programs::{Consistency, Program, Stage, UNSTOPPED};
use testsuite::real::compiler::Flavor;
use testsuite::real::skip::{Skipped, run};

/// Windows, half of them with updates of the process, half with updates of its twin.
const WINDOWS: usize = 16;
/// How long each is.
const WINDOW: Duration = Duration::from_millis(400);
/// The name the runtime gives its own thread.
const RUNTIME: &str = "dsu";

/// What the thread that reads the clock has seen in one window.
#[derive(Debug, Default)]
struct Window {
    /// Jumps by more than 50, 200, 1,000 us.
    gaps: [u64; 3],
    longest_us: u64,
    updates: u64,
}

fn window(sampled: &mut Stage, updated: Option<&mut Stage>) -> Result<Window> {
    sampled.ask("gaps")?;
    // Without a stage of its own, it is the sampled one that is updated.
    let (begin, mut updates) = (Instant::now(), 0);
    let mut other = updated;
    while begin.elapsed() < WINDOW {
        let stage = other.as_deref_mut().unwrap_or(sampled);
        stage.update(2)?;
        stage.update(1)?;
        updates += 2;
    }
    let line = sampled.ask("gaps")?.concat();
    let numbers: Vec<u64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [a, b, c, longest_us, looks, _answer] = numbers[..] else { bail!("gaps: {line}") };
    ensure!(looks > 1_000, "the sampler hardly ran: {line}");
    Ok(Window { gaps: [a, b, c], longest_us, updates })
}

/// How often a thread has given its core away, rather than lost it: by sleeping, waiting for a lock, stopping.
fn waits(pid: u32, thread: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/task/{thread}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).context("no such line")?;
    Ok(line.trim().parse()?)
}

#[test]
fn in_newest_a_running_thread_never_waits_and_sees_no_gaps_of_ours() {
    never_waits(Consistency::Newest);
}

#[test]
fn in_thread_a_running_thread_never_waits_and_sees_no_gaps_of_ours() {
    never_waits(Consistency::Thread);
}

/// How often the gaps are measured before they count. The machine's own noise comes and goes; a thread that is made to
/// wait by an update is so in every measurement.
const MEASUREMENTS: usize = 3;

fn never_waits(consistency: Consistency) {
    /// Two cores are few: the tests here would be one another's noise.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock();
    run(|| {
        let program = Program::build(UNSTOPPED, Flavor::Armed)?;
        let mut sampled = Stage::set(&program, consistency, &[])?;
        // The same work for the machine, but on another process: what the sampler sees then is the machine's noise.
        let mut twin = Stage::set(&program, consistency, &[])?;
        let thread = sampled.ask("sampler")?.concat();
        sampled.update(2)?;
        let before = waits(sampled.pid(), &thread)?;
        let mut seen = Vec::new();
        for _ in 0..MEASUREMENTS {
            let pair = measure(&mut sampled, &mut twin)?;
            assert_eq!(waits(sampled.pid(), &thread)? - before, 0, "the sampler had to wait");
            let [own, noise] = pair.each_ref().map(|windows| median_of(windows, |window| window.gaps[2]));
            seen.push(pair);
            if own <= 2 * noise + 5 {
                sampled.tell("rest")?;
                return sampled.end();
            }
        }
        panic!("with updates, and with updates of the twin: {seen:#?}")
    });
}

/// Windows with updates, and windows with updates of the twin.
fn measure(sampled: &mut Stage, twin: &mut Stage) -> Result<[Vec<Window>; 2]> {
    let (mut own, mut noise) = (Vec::new(), Vec::new());
    for _ in 0..WINDOWS / 2 {
        noise.push(window(sampled, Some(twin))?);
        own.push(window(sampled, None)?);
    }
    for (limit, name) in ["50 us", "200 us", "1 ms"].iter().enumerate() {
        let [own, noise] = [&own, &noise].map(|windows| median_of(windows, |window| window.gaps[limit]));
        println!("gaps above {name} per window: {own} with updates, {noise} with updates of the twin");
    }
    let [longest, noise_longest] = [&own, &noise].map(|windows| median_of(windows, |window| window.longest_us));
    println!("median of the longest gaps: {longest} us, {noise_longest} us");
    println!("updates: {}", own.iter().map(|window| window.updates).sum::<u64>());
    Ok([own, noise])
}

fn median_of(windows: &[Window], number: impl Fn(&Window) -> u64) -> u64 {
    let mut numbers: Vec<u64> = windows.iter().map(number).collect();
    numbers.sort_unstable();
    numbers[numbers.len() / 2]
}

/// strace, attached to every thread of a process, its lines in a file.
struct Trace<'a> {
    child: Child,
    log: &'a Path,
}

impl<'a> Trace<'a> {
    fn attach(pid: u32, threads: usize, log: &'a Path) -> Result<Self> {
        let mut command = Command::new("strace");
        command.args(["-f", "-o"]).arg(log).args(["-p", &pid.to_string()]).stderr(Stdio::null());
        let Ok(child) = command.spawn() else { bail!(Skipped("strace is not installed".to_owned())) };
        let trace = Self { child, log };
        let end = Instant::now() + Duration::from_secs(20);
        while trace.threads()?.len() < threads {
            ensure!(Instant::now() < end, "strace sees only {:?} of {threads} threads", trace.threads()?);
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(trace)
    }

    /// Thread and what it did, line by line.
    fn lines(&self) -> Result<Vec<(String, String)>> {
        let text = fs::read_to_string(self.log).unwrap_or_default();
        let split = |line: &str| line.split_once(' ').map(|(thread, rest)| (thread.to_owned(), rest.trim().to_owned()));
        Ok(text.lines().filter_map(split).collect())
    }

    fn threads(&self) -> Result<BTreeSet<String>> {
        Ok(self.lines()?.into_iter().map(|(thread, _)| thread).collect())
    }

    /// Lets go of the process.
    fn detach(mut self) -> Result<()> {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::INT)?;
        }
        self.child.wait()?;
        Ok(())
    }
}

/// The threads of a process: number and name.
fn threads(pid: u32) -> Result<Vec<(String, String)>> {
    let mut threads = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let comm = fs::read_to_string(format!("/proc/{pid}/task/{name}/comm"))?;
        threads.push((name, comm.trim().to_owned()));
    }
    Ok(threads)
}

#[test]
fn an_update_is_nothing_to_a_sleeping_thread_as_strace_sees_it() {
    run(|| {
        let all =
            Flavor::INSTRUMENTED.iter().flat_map(|flavor| Consistency::ALL.map(|consistency| (*flavor, consistency)));
        all.into_iter().try_for_each(|(flavor, consistency)| sleeps_on(flavor, consistency))
    });
}

/// strace wakes a thread or two when it attaches; what the program says of them once all are asleep again.
fn settle(stage: &mut Stage, trace: &Trace<'_>) -> Result<Vec<String>> {
    let mut lines = 0;
    loop {
        let woken = stage.ask("woken")?;
        std::thread::sleep(Duration::from_millis(300));
        let now = trace.lines()?.len();
        // Between two looks only the thread that answers us may have done something.
        if trace.lines()?[lines..].iter().all(|(thread, _)| *thread == stage.pid().to_string()) && lines > 0 {
            return Ok(woken);
        }
        lines = now;
    }
}

fn sleeps_on(flavor: Flavor, consistency: Consistency) -> Result<()> {
    let program = Program::build(UNSTOPPED, flavor)?;
    let mut stage = Stage::set(&program, consistency, &[])?;
    assert_eq!(stage.ask("sleepers")?.len(), 8);
    let all = threads(stage.pid())?;
    let (runtime, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, name)| name == RUNTIME);
    let [(runtime, _)] = &runtime[..] else { bail!("the runtime's thread is not found: {runtime:?} {others:?}") };
    assert_eq!(others.len(), 9, "{others:?}");
    let log = stage.sockets().join("trace");
    let trace = Trace::attach(stage.pid(), 10, &log)?;
    let woken = settle(&mut stage, &trace)?;
    let attached = trace.lines()?.len();
    for version in [2, 1, 2, 1] {
        stage.update(version)?;
    }
    let lines = trace.lines()?;
    assert_eq!(stage.ask("woken")?, woken);
    trace.detach()?;
    let during = &lines[attached..];
    let own: Vec<_> = during.iter().filter(|(thread, _)| thread != runtime).collect();
    assert!(own.is_empty(), "{own:#?}");
    let of_runtime: Vec<_> = during.iter().filter(|(thread, _)| thread == runtime).map(|(_, line)| line).collect();
    assert!(of_runtime.iter().any(|line| line.starts_with("memfd_create(")), "{of_runtime:#?}");
    let banned = ["ptrace(", "kill(", "tkill(", "tgkill(", "rt_sigqueueinfo(", "rt_tgsigqueueinfo(", "futex(", "clone"];
    let bad: Vec<_> = of_runtime.iter().filter(|line| banned.iter().any(|call| line.starts_with(call))).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    println!(
        "{}, {}: {} system calls of the runtime for 4 updates, none of 9 others",
        flavor.name(),
        consistency.name(),
        of_runtime.len()
    );
    stage.end()
}
