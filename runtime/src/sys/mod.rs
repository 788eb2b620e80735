//! The wall: every system call, every libc call, every dereference of an address that came from outside. What
//! leaves this module is safe to call; how an address was checked is written where it becomes a reference.

pub(crate) mod dlopen;
pub(crate) mod linker;
pub(crate) mod memory;
pub(crate) mod modules;
pub(crate) mod pinned;
pub(crate) mod process;
pub(crate) mod range;
pub(crate) mod socket;
pub(crate) mod tasks;
pub(crate) mod token;

use core::sync::atomic::{AtomicBool, Ordering};

/// The system's error number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) i32);

impl Errno {
    pub(crate) const NOMEM: Self = Self(libc::ENOMEM);

    /// The calling thread's `errno`.
    pub(crate) fn last() -> Self {
        // SAFETY: glibc returns the address of the calling thread's own errno, always valid.
        Self(unsafe { *libc::__errno_location() })
    }
}

/// Turns the `-1` of a libc call into an error.
fn check(result: libc::c_int) -> Result<libc::c_int, Errno> {
    if result < 0 { Err(Errno::last()) } else { Ok(result) }
}

/// Likewise for calls that count bytes.
fn check_size(result: libc::ssize_t) -> Result<usize, Errno> {
    usize::try_from(result).map_err(|_| Errno::last())
}

/// A file descriptor, closed when dropped.
#[derive(Debug)]
pub(crate) struct Fd(libc::c_int);

/// Whether the runtime's descriptors are in the program's own table; see `process::own_file_table`.
static SHARED_TABLE: AtomicBool = AtomicBool::new(false);

impl Fd {
    /// Takes over a descriptor that a call has just made. In a table shared with the program it is moved up, out of
    /// the way of programs that count on the numbers of theirs.
    fn new(made: libc::c_int) -> Self {
        const OUT_OF_THE_WAY: libc::c_int = 900;
        let fd = Self(made);
        if !SHARED_TABLE.load(Ordering::Relaxed) {
            return fd;
        }
        // SAFETY: plain system call on a descriptor of ours; where the limit is lower, it fails and changes nothing.
        match check(unsafe { libc::fcntl(made, libc::F_DUPFD_CLOEXEC, OUT_OF_THE_WAY) }) {
            Ok(moved) => Self(moved),
            Err(_) => fd,
        }
    }

    /// Its number.
    pub(crate) fn number(&self) -> libc::c_int {
        self.0
    }
}

impl Drop for Fd {
    #[inline(never)]
    fn drop(&mut self) {
        // SAFETY: the descriptor is ours: each was just made by the call that wrapped it, and is wrapped once.
        unsafe { libc::close(self.0) };
    }
}
