//! Processes as /proc shows them, and the way to their sockets.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use dsu_abi::wire::Packet;

use crate::client::{self, Answer, Meanwhile};
use crate::error::Error;
use crate::foreign;

/// Names the runtime gives its thread: with its socket, and when it found no place for one.
const THREAD: &str = "dsu";
const THREAD_WITHOUT_SOCKET: &str = "dsu-nosocket";
/// A program that has just started, or forked, makes its socket after 30 ms; its thread is there at once.
const PATIENCE: Duration = Duration::from_millis(1000);

/// A process.
pub(crate) struct Target {
    /// Its number.
    pub(crate) pid: u32,
    /// Its name.
    pub(crate) command: String,
    /// Number of its parent.
    pub(crate) parent: u32,
    /// Real and effective user.
    users: [u32; 2],
    /// How long it may take to answer.
    pub(crate) patience: Duration,
}

/// How far the runtime of a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runtime {
    Absent,
    WithoutSocket,
    Running,
}

impl Target {
    /// Looks a process up.
    pub(crate) fn find(pid: u32) -> Result<Self, Error> {
        let gone = |_| Error::NoProcess(pid);
        let status = fs::read_to_string(format!("/proc/{pid}/status")).map_err(gone)?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("").trim();
        if field("State:").starts_with(['Z', 'X']) || field("Tgid:") != pid.to_string() {
            return Err(Error::NoProcess(pid));
        }
        let mut users = field("Uid:").split_whitespace().filter_map(|user| user.parse().ok());
        let users = [users.next().unwrap_or(0), users.next().unwrap_or(0)];
        let parent = field("PPid:").parse().unwrap_or(0);
        Ok(Self { pid, command: foreign::text(field("Name:")), parent, users, patience: client::TIMEOUT })
    }

    /// All processes, with a runtime or without.
    pub(crate) fn everybody() -> io::Result<Vec<Self>> {
        let pids = fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let mut found: Vec<Self> = pids.filter_map(|pid| Self::find(pid).ok()).collect();
        found.sort_by_key(|target| target.pid);
        Ok(found)
    }

    /// Whether it has a runtime, by the name of its thread.
    pub(crate) fn runtime(&self) -> Runtime {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid)).into_iter().flatten().flatten();
        let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
        names.fold(Runtime::Absent, |found, name| match name.trim_end() {
            THREAD => Runtime::Running,
            THREAD_WITHOUT_SOCKET if found == Runtime::Absent => Runtime::WithoutSocket,
            _ => found,
        })
    }

    /// Asks it something.
    pub(crate) fn ask(&self, request: &Packet<'_>, file: Option<std::os::fd::BorrowedFd<'_>>) -> Result<Answer, Error> {
        // A process that closed all its descriptors may have closed its socket under the first request; one that became another
        // program (exec) under it has another memory.
        let is_again = |answer: &io::Result<Answer>| match answer {
            Ok(answer) => answer.is_not_permitted(),
            Err(error) => client::is_lost(error),
        };
        let mut answer = self.ask_once(request, file);
        if answer.as_ref().is_ok_and(is_again) {
            answer = self.ask_once(request, file);
        }
        let answer = answer?;
        answer.map_err(|cause| match cause.kind() {
            io::ErrorKind::TimedOut if self.is_stopped() => self.stopped(),
            _ => Error::NoAnswer { pid: self.pid, cause },
        })
    }

    fn ask_once(
        &self,
        request: &Packet<'_>,
        file: Option<std::os::fd::BorrowedFd<'_>>,
    ) -> Result<io::Result<Answer>, Error> {
        let (socket, memory) = self.connect_with_memory()?;
        let files: Vec<_> = memory.iter().map(AsFd::as_fd).chain(file).collect();
        let is_stopped = || self.is_stopped();
        Ok(client::ask(&socket, request, &files, self.wait(&is_stopped), None))
    }

    fn wait<'w>(&self, is_stopped: &'w dyn Fn() -> bool) -> client::Wait<'w> {
        client::Wait { patience: self.patience, is_stopped }
    }

    fn stopped(&self) -> Error {
        Error::Stopped { pid: self.pid, command: self.command.clone() }
    }

    /// Asks it something that may have to wait for another update.
    pub(crate) fn ask_in_line(
        &self,
        request: &Packet<'_>,
        file: std::os::fd::BorrowedFd<'_>,
        meanwhile: Meanwhile<'_>,
    ) -> Result<Answer, Error> {
        let (socket, memory) = self.connect_with_memory()?;
        let files: Vec<_> = memory.iter().map(AsFd::as_fd).chain([file]).collect();
        client::ask(&socket, request, &files, self.wait(&|| false), Some(meanwhile)).map_err(|cause| match cause.kind() {
            io::ErrorKind::Interrupted => Error::Interrupted(format!(
                "no longer waiting; the update of process `{0}` stays queued: `dsuctl status {0} --watch` follows it",
                self.pid
            )),
            _ => Error::NoAnswer { pid: self.pid, cause },
        })
    }

    /// A connection, and the memory of the process, by which its runtime knows that we may attach a debugger to it. Nothing of
    /// it is read here. First the connection: who answers there has the memory that the process has by then, also after an exec.
    fn connect_with_memory(&self) -> Result<(OwnedFd, Option<fs::File>), Error> {
        let socket = self.connect()?;
        Ok((socket, fs::File::open(format!("/proc/{}/mem", self.pid)).ok()))
    }

    /// Whether it is stopped by a signal or a debugger, and cannot answer.
    fn is_stopped(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|fields| fields.trim_start().starts_with(['T', 't'])) || self.is_frozen()
    }

    /// Whether its control group is frozen.
    fn is_frozen(&self) -> bool {
        let groups = fs::read_to_string(format!("/proc/{}/cgroup", self.pid)).unwrap_or_default();
        let path = groups.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or_default().to_owned();
        let events = fs::read_to_string(format!("/sys/fs/cgroup{path}/cgroup.events")).unwrap_or_default();
        events.lines().any(|line| line == "frozen 1")
    }

    fn connect(&self) -> Result<OwnedFd, Error> {
        if self.is_stopped() {
            return Err(self.stopped());
        }
        let begin = Instant::now();
        loop {
            let failure = match self.try_connect() {
                Ok(socket) => return Ok(socket),
                Err(failure) => failure,
            };
            let patience = match self.runtime() {
                _ if failure == io::ErrorKind::PermissionDenied => Duration::ZERO,
                Runtime::WithoutSocket => Duration::ZERO,
                Runtime::Absent => PATIENCE / 10,
                Runtime::Running => PATIENCE,
            };
            if begin.elapsed() >= patience {
                return Err(self.explain(failure));
            }
            sleep(Duration::from_millis(10));
        }
    }

    fn try_connect(&self) -> Result<OwnedFd, io::ErrorKind> {
        let mut failure = io::ErrorKind::NotFound;
        for directory in self.directories() {
            match client::connect(&directory.join(format!("{}.sock", self.pid))) {
                // A socket of this name may be of an earlier process, or of one in another container.
                Ok(socket) if is_of(&socket, self.pid) => return Ok(socket),
                // What is closed below /proc says nothing of sockets.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied && !directory.starts_with("/proc") => {
                    failure = error.kind();
                }
                _ => {}
            }
        }
        Err(failure)
    }

    /// Where its socket may be, most likely first; at last inside its own root directory.
    fn directories(&self) -> Vec<PathBuf> {
        let mut directories: Vec<PathBuf> = self.chosen_directory().into_iter().collect();
        directories.extend(std::env::var_os("DSU_RUNTIME_DIR").map(PathBuf::from));
        let own = rustix::process::geteuid().as_raw();
        for user in [self.users[1], self.users[0], 0, own] {
            directories.extend(default_directories(user));
        }
        let mut seen = vec![PathBuf::new()];
        directories.retain(|directory| {
            let new = !seen.contains(directory);
            seen.push(directory.clone());
            new
        });
        let root = PathBuf::from(format!("/proc/{}/root", self.pid));
        let inside = directories.iter().filter_map(|directory| Some(root.join(directory.strip_prefix("/").ok()?)));
        let inside: Vec<PathBuf> = inside.collect();
        directories.extend(inside);
        directories
    }

    /// `DSU_RUNTIME_DIR` as the process was started with.
    fn chosen_directory(&self) -> Option<PathBuf> {
        let environment = fs::read(format!("/proc/{}/environ", self.pid)).ok()?;
        let mut variables = environment.split(|&byte| byte == 0);
        let value = variables.find_map(|variable| variable.strip_prefix(b"DSU_RUNTIME_DIR="))?;
        Some(PathBuf::from(String::from_utf8_lossy(value).into_owned()))
    }

    /// Why there is no connection.
    fn explain(&self, failure: io::ErrorKind) -> Error {
        let (pid, command) = (self.pid, self.command.clone());
        let own = rustix::process::geteuid().as_raw();
        if Self::find(pid).is_err() {
            return Error::NoProcess(pid);
        }
        let foreign = !self.users.contains(&own);
        if own != 0 && (foreign || failure == io::ErrorKind::PermissionDenied) {
            // A daemon that was root when it made its socket, and is us now, still takes orders from root only.
            return Error::ForeignUser { pid, command, user: if foreign { self.users[0] } else { 0 } };
        }
        if self.chosen_directory().is_some_and(|chosen| chosen.as_os_str().is_empty()) {
            let why = "it was started with `DSU_RUNTIME_DIR` empty, which turns the runtime off".to_owned();
            return Error::NoSocket { pid, command, why };
        }
        match self.runtime() {
            Runtime::Absent => Error::NoRuntime { pid, command },
            Runtime::Running | Runtime::WithoutSocket => {
                let why = match self.chosen_directory() {
                    Some(chosen) => self.fault(&chosen),
                    None => {
                        default_directories(self.users[1]).iter().map(|d| self.fault(d)).collect::<Vec<_>>().join(", ")
                    }
                };
                Error::NoSocket { pid, command, why }
            }
        }
    }

    /// What is wrong with a directory, for the user of this process.
    fn fault(&self, directory: &Path) -> String {
        let shown = directory.display();
        let user = self.users[1];
        let Ok(status) = fs::symlink_metadata(directory) else {
            return format!("directory `{shown}` does not exist and could not be made");
        };
        let mode = status.permissions().mode();
        if status.is_symlink() || !status.is_dir() {
            format!("`{shown}` is not a directory")
        } else if ![0, user].contains(&status.uid()) {
            format!("directory `{shown}` belongs to user {}", status.uid())
        } else if mode & 0o022 != 0 && !(status.uid() == 0 && mode & 0o1000 != 0) {
            format!("directory `{shown}` may be written by others (mode {:04o})", mode & 0o7777)
        } else if directory.as_os_str().len() > 90 {
            format!("path `{shown}` is too long for a socket")
        } else {
            format!("directory `{shown}` could not be written by user {user}")
        }
    }
}

fn is_of(socket: &OwnedFd, pid: u32) -> bool {
    rustix::net::sockopt::socket_peercred(socket).is_ok_and(|peer| peer.pid.as_raw_nonzero().get() as u32 == pid)
}

/// Where a runtime of this user puts its socket when told nothing.
fn default_directories(user: u32) -> [PathBuf; 3] {
    ["/run/dsu".into(), format!("/run/user/{user}/dsu").into(), format!("/tmp/dsu-{user}").into()]
}

/// Removes the sockets of processes that are gone: a process that was killed cannot do it. Only directories of our
/// own are looked through; for root, those of all users.
pub(crate) fn remove_stale_sockets() -> Vec<PathBuf> {
    let own = rustix::process::geteuid().as_raw();
    let chosen = std::env::var_os("DSU_RUNTIME_DIR").map(PathBuf::from);
    let users = if own == 0 { users_with_sockets() } else { vec![own] };
    // Others may have put a link in the place of a directory.
    let is_of = |directory: &Path, user| {
        fs::symlink_metadata(directory).is_ok_and(|status| status.is_dir() && [0, user].contains(&status.uid()))
    };
    let defaults = users.into_iter().flat_map(|user| default_directories(user).map(|directory| (directory, user)));
    let directories = chosen.map(|directory| (directory, own)).into_iter().chain(defaults);
    let directories = directories.filter(|(directory, user)| is_of(directory, *user));
    let entries = directories.filter_map(|(directory, _)| fs::read_dir(directory).ok()).flatten().flatten();
    let stale = entries.map(|entry| entry.path()).filter(|path| is_stale(path));
    stale.filter(|path| fs::remove_file(path).is_ok()).collect()
}

/// Root, and the users that `/run/user` and `/tmp` have directories of.
fn users_with_sockets() -> Vec<u32> {
    let names =
        |directory: &str| fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let of_run = names("/run/user").filter_map(|name| name.to_str()?.parse().ok());
    let of_tmp = names("/tmp").filter_map(|name| name.to_str()?.strip_prefix("dsu-")?.parse().ok());
    let mut users: Vec<u32> = of_run.chain(of_tmp).chain([0]).collect();
    users.sort_unstable();
    users.dedup();
    users
}

fn is_stale(path: &Path) -> bool {
    let ours = path.extension().is_some_and(|extension| extension == "sock" || extension == "new");
    let pid: Option<u32> = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
    let Some(pid) = pid.filter(|_| ours) else { return false };
    // The process is gone, or has become another program by exec. Somebody may listen whose number we cannot see:
    // another container.
    let alive = Target::find(pid).is_ok_and(|target| target.runtime() != Runtime::Absent);
    !alive && client::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_found_by_its_number_and_a_thread_is_none() {
        let own = Target::find(std::process::id()).expect("this very process");
        assert_eq!(own.runtime(), Runtime::Absent);
        assert!(matches!(Target::find(u32::MAX), Err(Error::NoProcess(u32::MAX))));
    }

    #[test]
    fn the_socket_is_looked_for_outside_and_inside_the_root_of_the_process() {
        let own = Target { pid: 7, command: String::new(), parent: 1, users: [5, 6], patience: client::TIMEOUT };
        let directories = own.directories();
        for expected in ["/run/dsu", "/tmp/dsu-6", "/tmp/dsu-5", "/proc/7/root/run/dsu"] {
            assert!(directories.contains(&PathBuf::from(expected)), "{expected} is not in {directories:?}");
        }
    }
}
