//! Where the socket is: `PID.sock` in `$DSU_RUNTIME_DIR` if set, else in the first usable of `/run/dsu`,
//! `/run/user/UID/dsu`, `/tmp/dsu-UID`. An empty `$DSU_RUNTIME_DIR` turns the runtime off. A directory is usable when nobody but root and the process's user could
//! have put something else in its place.

use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use crate::sys::process;
use crate::text::{Text, c_str};

/// A path that fits a socket address.
pub(crate) type Path = Text<108>;

/// Process that the socket is of; 0 when there is none.
static SOCKET_OF: AtomicU32 = AtomicU32::new(0);
/// Where it is; written before `SOCKET_OF`, so that the exiting thread reads it whole.
static SOCKET: [AtomicU8; 108] = [const { AtomicU8::new(0) }; 108];
static EXITING: AtomicBool = AtomicBool::new(false);

/// What is known when the program starts, while the environment is as it came.
pub(crate) struct Start {
    chosen: Option<Path>,
    user: u32,
}

/// Takes note of it; `None` when the runtime is turned off.
pub(crate) fn start() -> Option<Start> {
    let chosen: Option<Path> = process::environment(c"DSU_RUNTIME_DIR");
    let off = chosen.is_some_and(|chosen| chosen.as_bytes().is_empty());
    // A program that runs with more rights than its caller (set-id, file capabilities) takes orders from nobody.
    (!off && !process::is_secure()).then(|| Start { chosen, user: process::users().1 })
}

/// Chooses the directory, and makes it if need be. `None`: the program goes on without a socket. A daemon that has
/// changed its user since it started can often write no more where it could then; it takes a place of its new user.
pub(crate) fn directory(start: &Start) -> Option<Path> {
    let (_, user) = process::users();
    if let Some(chosen) = start.chosen {
        let usable = usable(chosen, user);
        if usable.is_some() || user == start.user {
            return usable;
        }
    }
    let run = Path::empty().with(b"/run/dsu");
    let of_user = Path::empty().with(b"/run/user/").with_number(user).with(b"/dsu");
    let temporary = Path::empty().with(b"/tmp/dsu-").with_number(user);
    [run, of_user, temporary].into_iter().find_map(|path| usable(path, user))
}

fn usable(path: Path, user: u32) -> Option<Path> {
    let name = path.as_c_str().filter(|_| !path.is_full())?;
    // Ours alone, except that root's /run/dsu may be looked into.
    let mode = if user == 0 { 0o755 } else { 0o700 };
    if process::lstat(name).is_err() {
        // Not there: an error shows in the next check.
        let _made = process::mkdir(name, mode);
    }
    is_safe(name, user).then_some(path)
}

fn is_safe(directory: &CStr, user: u32) -> bool {
    let Ok(status) = process::lstat(directory) else { return false };
    let is_directory = status.st_mode & libc::S_IFMT == libc::S_IFDIR;
    let owned = status.st_uid == user || status.st_uid == 0;
    // Others may write only where the sticky bit keeps them from renaming what is not theirs.
    let shared = status.st_mode & 0o022 != 0;
    let guarded = status.st_uid == 0 && status.st_mode & libc::S_ISVTX != 0;
    is_directory && owned && (!shared || guarded) && process::may_write(directory)
}

/// The socket of process `pid` in a directory; with `temporary`, the name it is bound to first.
pub(crate) fn socket(directory: &Path, pid: u32, temporary: bool) -> Option<Path> {
    let path = directory.with(b"/").with_number(pid).with(if temporary { b".new" } else { b".sock" });
    (!path.is_full()).then_some(path)
}

/// Notes the socket, so that exit removes it; removes it at once if exit was faster.
pub(crate) fn remember_socket(path: &Path) {
    SOCKET_OF.store(0, Ordering::SeqCst);
    for (at, place) in SOCKET.iter().enumerate() {
        place.store(path.as_bytes().get(at).copied().unwrap_or(0), Ordering::Relaxed);
    }
    SOCKET_OF.store(process::pid(), Ordering::SeqCst);
    if EXITING.load(Ordering::SeqCst) {
        remove_socket();
    }
}

/// At exit: removes the socket, in the process that made it only.
pub(crate) extern "C" fn remove_socket() {
    EXITING.store(true, Ordering::SeqCst);
    if SOCKET_OF.load(Ordering::SeqCst) == process::pid() {
        let path = SOCKET.each_ref().map(|byte| byte.load(Ordering::Relaxed));
        if let Some(path) = c_str(&path) {
            process::unlink(path);
        }
    }
}

/// In a child just forked: the socket is its parent's.
pub(crate) fn forget_socket() {
    SOCKET_OF.store(0, Ordering::SeqCst);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_does_not_fit_is_no_path() {
        let directory = Path::empty().with(&[b'a'; 90]);
        assert!(socket(&directory, 1, false).is_some());
        assert!(socket(&directory.with(&[b'a'; 10]), 12345, false).is_none());
    }

    #[test]
    fn links_and_directories_open_to_others_are_not_used() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let (_, user) = process::users();
        let base = std::env::temp_dir().join(format!("dsu-place-{}", std::process::id()));
        let path = |name: &str| Path::empty().with(base.join(name).to_str().expect("a test's own path").as_bytes());
        std::fs::create_dir_all(base.join("good")).expect("temporary directories can be made");
        std::fs::create_dir_all(base.join("open")).expect("temporary directories can be made");
        std::fs::set_permissions(base.join("good"), PermissionsExt::from_mode(0o700)).expect("ours");
        std::fs::set_permissions(base.join("open"), PermissionsExt::from_mode(0o777)).expect("ours");
        symlink(base.join("good"), base.join("link")).expect("links can be made");
        std::fs::write(base.join("file"), "").expect("files can be made");
        let usable: Vec<bool> =
            ["good", "open", "link", "file", "new"].map(|name| usable(path(name), user).is_some()).to_vec();
        std::fs::remove_dir_all(&base).expect("ours");
        assert_eq!(usable, [true, false, false, false, true]);
    }
}
