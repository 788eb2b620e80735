//! The wall: every system call, every libc call, every dereference of an address that came from outside. What
//! leaves this module is safe to call; how an address was checked is written where it becomes a reference.

pub(crate) mod loader;
pub(crate) mod memory;
pub(crate) mod process;
pub(crate) mod socket;
pub(crate) mod turn;

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

impl Fd {
    /// Its number.
    pub(crate) fn number(&self) -> libc::c_int {
        self.0
    }
}

impl Drop for Fd {
    fn drop(&mut self) {
        // SAFETY: the descriptor is ours: each was just made by the call that wrapped it, and is wrapped once.
        unsafe { libc::close(self.0) };
    }
}
