//! Patches that replace every function of a program by a copy of itself: whatever the program did before, it has to
//! do with them, with them in place of each other, and with them taken back.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail, ensure};
use fastrand::Rng;

use crate::config::Consistency;
use crate::process::shell_line;
use crate::real::cache;
use crate::real::command::patchgen;
use crate::tools::Tools;

/// What dsuctl says of a process that has just ended, or has not yet quite begun: no such process, no runtime, no socket,
/// no answer; of one that came after the patch: nothing is applied; and of a child forked while a patch was loaded, which
/// takes no more.
const GONE: [i32; 6] = [3, 10, 11, 13, 14, 31];

/// Two patches that replace every function of `program` by itself, so that one can take the place of the other; made
/// once for each build.
///
/// # Errors
/// When patchgen refuses.
pub fn patches(program: &Path) -> Result<[PathBuf; 2]> {
    let key = cache::key(&[program.to_path_buf(), Tools::find()?.path("patchgen")], &[])?;
    let names = ["identity-1.dsu", "identity-2.dsu"];
    let folder = cache::once(&format!("identity-{key}"), |folder| {
        names.iter().try_for_each(|name| {
            let words = [program, Path::new("-o"), &folder.join(name)].map(|word| word.to_string_lossy().into_owned());
            let [program, option, patch] = words.each_ref().map(String::as_str);
            patchgen(&["build", "--all-functions", program, option, patch], &[0]).map(drop)
        })
    })?;
    Ok(names.map(|name| folder.join(name)))
}

/// Applies such patches to every process of these programs that it meets, and takes them back, in random order.
#[derive(Debug)]
pub struct Identity {
    consistency: Consistency,
    /// Name of the executable, and its two patches.
    patches: Vec<(String, [PathBuf; 2])>,
    rng: Mutex<Rng>,
    applied: AtomicU64,
    reverted: AtomicU64,
    gone: AtomicU64,
}

impl Identity {
    /// For these programs.
    ///
    /// # Errors
    /// When patchgen refuses.
    pub fn new(programs: &[PathBuf], consistency: Consistency) -> Result<Self> {
        let name = |program: &PathBuf| Some(program.file_name()?.to_string_lossy().into_owned());
        let named = programs.iter().map(|program| Ok((name(program).context("no file")?, patches(program)?)));
        let patches = named.collect::<Result<Vec<_>>>()?;
        let rng = Mutex::new(Rng::with_seed(5));
        let zero = AtomicU64::default;
        Ok(Self { consistency, patches, rng, applied: zero(), reverted: zero(), gone: zero() })
    }

    /// One update of each process that has its socket in `sockets`.
    ///
    /// # Errors
    /// When an update is refused to a process that lives.
    pub fn update(&self, sockets: &Path) -> Result<()> {
        for entry in fs::read_dir(sockets)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let digits: String = name.chars().filter(char::is_ascii_digit).collect();
            let Ok(program) = fs::read_link(format!("/proc/{digits}/exe")) else { continue };
            let program = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if let Some((_, patches)) = self.patches.iter().find(|(name, _)| *name == program) {
                self.update_one(sockets, &digits, patches)?;
            }
        }
        Ok(())
    }

    fn update_one(&self, sockets: &Path, pid: &str, patches: &[PathBuf; 2]) -> Result<()> {
        let choice = self.rng.lock().expect("no thread panics with it").usize(0..3);
        let mut command = Command::new(Tools::find()?.path("dsuctl"));
        let count = match patches.get(choice) {
            Some(patch) => {
                command.args(["apply", pid]).arg(patch).args(self.consistency.arguments());
                &self.applied
            }
            None => {
                command.args(["revert", "--all", pid]);
                &self.reverted
            }
        };
        let output = command.env("DSU_RUNTIME_DIR", sockets).stdin(Stdio::null()).output()?;
        match output.status.code() {
            Some(0) => count.fetch_add(1, Ordering::Relaxed),
            Some(code) if GONE.contains(&code) => self.gone.fetch_add(1, Ordering::Relaxed),
            _ => bail!("{}: {}", shell_line(&command), String::from_utf8_lossy(&output.stderr)),
        };
        Ok(())
    }

    /// Updates by a patch, updates back, and those that met a process too early or too late.
    ///
    /// # Errors
    /// When there were hardly any.
    pub fn counts(&self, least: u64) -> Result<[u64; 3]> {
        let counts = [&self.applied, &self.reverted, &self.gone].map(|count| count.load(Ordering::Relaxed));
        ensure!(counts[0] >= least && counts[1] > 0, "hardly any updates: {counts:?}, at least {least} are wanted");
        Ok(counts)
    }
}
