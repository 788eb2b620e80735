//! One program: built, started, updated to each of its mutants and back.
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use anyhow::{Context, Result, bail, ensure};
use fastrand::Rng;
use serde_json::Value;

use super::edit;
use super::mutate::mutate;
use super::program::Program;
use super::tally::{Failure, Outcome, Tally};
use crate::case;
use crate::live::Live;
use crate::process::Transcript;
use crate::real::skip::Skipped;
use crate::tools::{PLAIN_CC, Tools};

/// Mutants of each program: its base is built once for all of them.
pub const MUTANTS: usize = 2;

/// Where Debian's libcsmith-dev has its headers.
const HEADERS: &str = "/usr/include/csmith";

/// Small programs: what matters is how many there are.
const CSMITH: &str = "--concise --no-argc --max-funcs 6 --max-block-size 3 --max-block-depth 2 --max-expr-complexity 5 \
                      --max-array-dim 2 --max-array-len-per-dim 4 --max-struct-fields 5 --max-pointer-depth 2";

/// One of them for each program.
const FLAGS: [&[&str]; 5] = [&["-O1"], &["-O2"], &["-O2"], &["-O2", "-fno-inline"], &["-Os"]];

/// The calls of func_1 that are compared: once, and on the state that calls before it have left.
const ROUNDS: [&str; 2] = ["run 1", "run 3"];

/// Runs `programs` programs from `seed` on, so many at a time.
///
/// # Errors
/// When csmith or the tools are missing.
pub fn run(programs: u64, seed: u64, jobs: usize, progress: &(dyn Fn(&Tally) + Sync)) -> Result<Tally> {
    // It leaves a file where it runs, even for this.
    let csmith = Command::new("csmith").arg("--version").current_dir(std::env::temp_dir()).output();
    if csmith.is_err() || !Path::new(HEADERS).is_dir() {
        bail!(Skipped("csmith or its headers are missing (ci/install-deps.sh not run)".to_owned()));
    }
    let tools = Tools::find()?;
    let next = Mutex::new(seed..seed.saturating_add(programs));
    let tally = Mutex::new(Tally::default());
    let poisoned = "no thread panics with it";
    let work = || -> Result<()> {
        while let Some(seed) = { next.lock().expect(poisoned).next() } {
            let (outcomes, failure) = trial(&tools, seed)?;
            let mut tally = tally.lock().expect(poisoned);
            tally.programs += 1;
            outcomes.iter().for_each(|outcome| tally.add(outcome));
            tally.failures.extend(failure);
            progress(&tally);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| bail!("a trial panicked")))
    })?;
    Ok(tally.into_inner().expect(poisoned))
}

/// Outcomes of the mutants, and what went wrong first. A folder with a failure in it is left behind.
fn trial(tools: &Tools, seed: u64) -> Result<(Vec<Outcome>, Option<Failure>)> {
    let folder = tempfile::Builder::new().prefix("dsu-csmith-").tempdir()?;
    let mut rng = Rng::with_seed(seed);
    let flags = FLAGS[rng.usize(0..FLAGS.len())];
    let dispatch = if rng.u8(0..4) == 0 { "always" } else { "armed" };
    let mut trial = Trial {
        tools,
        root: folder.path().to_owned(),
        flags,
        dispatch,
        transcript: Transcript::default(),
        at: (None, Vec::new()),
    };
    let mut outcomes = Vec::new();
    let Err(error) = trial.run(seed, &mut rng, &mut outcomes) else { return Ok((outcomes, None)) };
    let kept = folder.keep();
    let (mutant, changes) = trial.at.clone();
    let message = format!("{error:#}\nleft in {}", kept.display());
    Ok((outcomes, Some(Failure { seed, mutant, changes, message, commands: trial.transcript.text() })))
}

struct Trial<'a> {
    tools: &'a Tools,
    root: PathBuf,
    flags: &'static [&'static str],
    dispatch: &'static str,
    transcript: Transcript,
    /// The mutant worked on and its changes, for a failure's message.
    at: (Option<usize>, Vec<String>),
}

/// What a process printed, round by round.
type Printed = Vec<Vec<String>>;

impl Trial<'_> {
    fn run(&mut self, seed: u64, rng: &mut Rng, outcomes: &mut Vec<Outcome>) -> Result<()> {
        let mut csmith = Command::new("csmith");
        csmith.args(["--seed", &seed.to_string()]).args(CSMITH.split_whitespace());
        let generated = self.transcript.must(csmith.current_dir(&self.root))?;
        let mut base = Program::parse(&generated.stdout)?;
        edit::prepare(&mut base, rng);
        self.write("base", &base)?;
        self.build("base", "plain", &[])?;
        let printed = self.fresh("base", "plain")?;
        if !ends(&printed) {
            outcomes.push(Outcome::Discarded("base does not end"));
            return Ok(());
        }
        self.build("base", "dsu", &[])?;
        let sockets = tempfile::tempdir()?;
        let mut command = Command::new(self.program("base", "dsu"));
        command.env("DSU_RUNTIME_DIR", sockets.path());
        self.transcript.note(format!("{} &   # PID", crate::process::shell_line(&command)));
        let mut live = Live::start(&mut command, &self.root.join("stderr.txt"))?;
        if self.ask(&mut live)? != printed {
            self.unless_undefined("base", "the instrumented base prints something else than the plain one")?;
            outcomes.push(Outcome::Discarded("undefined behaviour"));
            return Ok(());
        }
        for mutant in 0..MUTANTS {
            let mut program = Program { numbers_from: base.numbers_from + 50 * mutant, ..base.clone() };
            self.at = (Some(mutant), mutate(&mut program, rng).into_iter().map(str::to_owned).collect());
            outcomes.push(self.mutant(&format!("mutant{mutant}"), &program, &mut live, sockets.path(), &printed)?);
        }
        let end = live.finish()?;
        ensure!(end.code == 0 && end.stderr.is_empty(), "it ended with {}, saying {}", end.code, end.stderr);
        Ok(())
    }

    fn mutant(
        &self,
        name: &str,
        program: &Program,
        live: &mut Live,
        sockets: &Path,
        base: &Printed,
    ) -> Result<Outcome> {
        self.write(name, program)?;
        if !self.builds(name, "plain", &[])? {
            return Ok(Outcome::Discarded("mutant does not compile"));
        }
        let fresh = self.fresh(name, "plain")?;
        if !ends(&fresh) {
            return Ok(Outcome::Discarded("mutant does not end"));
        }
        self.build(name, "dsu", &[])?;
        let patch = self.root.join(name).join("patch.dsu");
        let mut patchgen = Command::new(self.tools.path("patchgen"));
        patchgen.arg("build").args([self.program("base", "dsu"), self.program(name, "dsu")]);
        let made = self.transcript.run(patchgen.arg("-o").arg(&patch).arg("--json"))?;
        match made.code {
            Some(0) => {}
            Some(3) if fresh == *base => return Ok(Outcome::NoChange),
            Some(3) => {
                self.unless_undefined(name, "patchgen sees no change, but a fresh process prints something else")?;
                return Ok(Outcome::Discarded("undefined behaviour"));
            }
            Some(4) => return Ok(Outcome::Refused(reasons(&made.stdout)?)),
            _ => bail!("patchgen failed: {}", made.said()),
        }
        let pid = live.pid().to_string();
        self.dsuctl(sockets, &["apply", &pid, &patch.to_string_lossy()])?;
        let updated = self.ask(live)?;
        self.dsuctl(sockets, &["revert", &pid])?;
        let reverted = self.ask(live)?;
        ensure!(reverted == *base, "reverted, it prints {reverted:?}, before {base:?}");
        if updated != fresh {
            let difference = first_difference(&updated, &fresh);
            self.unless_undefined(
                name,
                &format!("updated, it prints something else than a fresh process: {difference}"),
            )?;
            return Ok(Outcome::Discarded("undefined behaviour"));
        }
        Ok(Outcome::Patched { visible: fresh != *base })
    }

    fn write(&self, name: &str, program: &Program) -> Result<()> {
        let folder = self.root.join(name);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("round.h"), include_str!("round.h"))?;
        fs::write(folder.join("main.c"), program.render()).context("cannot write a program")
    }

    fn program(&self, name: &str, flavour: &str) -> PathBuf {
        self.root.join(name).join(flavour)
    }

    /// Builds one flavour of a program: `plain`, `dsu`, or whatever `more` makes of a plain one.
    fn build(&self, name: &str, flavour: &str, more: &[&str]) -> Result<()> {
        self.transcript.must(&mut self.compiler(name, flavour, more)).map(drop)
    }

    fn builds(&self, name: &str, flavour: &str, more: &[&str]) -> Result<bool> {
        Ok(self.transcript.run(&mut self.compiler(name, flavour, more))?.code == Some(0))
    }

    fn compiler(&self, name: &str, flavour: &str, more: &[&str]) -> Command {
        let mut command = if flavour == "dsu" {
            let mut command = Command::new(self.tools.path("dsu-cc"));
            command.arg(format!("--dsu-dispatch={}", self.dispatch));
            command
        } else {
            Command::new(PLAIN_CC)
        };
        command.args(self.flags).args(more).args(["-w", "-pthread", "-isystem", HEADERS]);
        command.arg("-I").arg(case::root().join("include"));
        command.args(["main.c", "-o", flavour]).current_dir(self.root.join(name));
        command
    }

    /// What a fresh process of a plain build prints.
    fn fresh(&self, name: &str, flavour: &str) -> Result<Printed> {
        let mut command = Command::new(self.program(name, flavour));
        let mut live = Live::start(&mut command, &self.root.join("stderr-plain.txt"))?;
        self.ask(&mut live)
    }

    fn ask(&self, live: &mut Live) -> Result<Printed> {
        self.transcript.note(format!("# type into {}: {}", live.pid(), ROUNDS.join(", ")));
        ROUNDS.iter().map(|round| live.send(round)).collect()
    }

    fn dsuctl(&self, sockets: &Path, arguments: &[&str]) -> Result<()> {
        let mut dsuctl = Command::new(self.tools.path("dsuctl"));
        self.transcript.must(dsuctl.args(arguments).env("DSU_RUNTIME_DIR", sockets)).map(drop)
    }

    /// A mutated program may have undefined behaviour, and then prints what it likes. Only when nothing of the kind
    /// is found is `message` an error.
    fn unless_undefined(&self, name: &str, message: &str) -> Result<()> {
        let probes: [(&str, &[&str]); 4] = [
            ("o0", &["-O0"]),
            ("o3", &["-O3"]),
            ("pattern", &["-ftrivial-auto-var-init=pattern"]),
            ("checked", &["-fsanitize=address,undefined", "-fno-sanitize=alignment", "-DROUND_MILLISECONDS=10000"]),
        ];
        let printed = self.fresh(name, "plain")?;
        for (flavour, more) in probes {
            self.build(name, flavour, more)?;
            if self.fresh(name, flavour)? != printed {
                return Ok(());
            }
        }
        let said = fs::read_to_string(self.root.join("stderr-plain.txt")).unwrap_or_default();
        ensure!(said.contains("runtime error"), "{message}");
        Ok(())
    }
}

/// Whether every round came to its end.
fn ends(printed: &Printed) -> bool {
    printed.iter().all(|round| round.last().is_some_and(|line| line.starts_with("checksum ")))
}

fn reasons(printed: &str) -> Result<Vec<String>> {
    let report: Value = serde_json::from_str(printed).context("patchgen's report is no JSON")?;
    let refusals = report["refusals"].as_array().context("a refusal without reasons")?;
    let ids: BTreeSet<String> = refusals.iter().filter_map(|r| r["reason"].as_str().map(str::to_owned)).collect();
    ensure!(!ids.is_empty(), "a refusal without reasons: {printed}");
    Ok(ids.into_iter().collect())
}

fn first_difference(here: &Printed, there: &Printed) -> String {
    let lines = here.iter().flatten().zip(there.iter().flatten());
    let found = lines.into_iter().find(|(here, there)| here != there);
    found.map_or_else(|| format!("{here:?}, not {there:?}"), |(here, there)| format!("`{here}`, not `{there}`"))
}
