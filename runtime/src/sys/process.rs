//! The process, its threads, its clock; files and directories by path.

use core::ffi::{CStr, c_void};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Errno, Fd, check, check_size};
use crate::arch;
use crate::callback::Callback;
use crate::text::Text;

/// The process's number.
pub(crate) fn pid() -> u32 {
    // SAFETY: cannot fail, touches nothing.
    unsafe { libc::getpid() as u32 }
}

/// Real and effective user.
pub(crate) fn users() -> (u32, u32) {
    // SAFETY: cannot fail, touches nothing.
    unsafe { (libc::getuid(), libc::geteuid()) }
}

/// Whether a descriptor shows the memory of this very process (`/proc/PID/mem`): the kernel gives one only to those who may
/// attach a debugger (`PTRACE_MODE_ATTACH`, `fs/proc/base.c:mem_open`). A number that was not there before tells.
pub(crate) fn is_own_memory(fd: &Fd) -> bool {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    const SIZE: usize = size_of::<u64>();
    let (mut number, mut seen) = (0u64, 0u64);
    // SAFETY: the kernel writes at most eight bytes to each of the two locals.
    let (made, read) = unsafe {
        let made = libc::syscall(libc::SYS_getrandom, &raw mut number, SIZE, libc::GRND_NONBLOCK);
        NUMBER.store(number, Ordering::SeqCst);
        (made, libc::pread(fd.number(), (&raw mut seen).cast(), SIZE, NUMBER.as_ptr().addr() as libc::off_t))
    };
    NUMBER.store(0, Ordering::SeqCst);
    made == SIZE as i64 && read == SIZE as isize && seen == number && number != 0
}

/// Number of the calling thread.
pub(crate) fn thread_id() -> u32 {
    // SAFETY: cannot fail, touches nothing.
    unsafe { libc::syscall(libc::SYS_gettid) as u32 }
}

/// Where in a thread's control block glibc keeps the thread's number: found in that of the calling thread.
pub(crate) fn thread_id_offset() -> Option<usize> {
    /// `struct pthread` begins with the 704 bytes of `tcbhead_t`; its number follows soon.
    const AREA: core::ops::Range<usize> = 704..1024;
    let (own, block) = (thread_id(), arch::thread_pointer());
    // SAFETY: inside the calling thread's own `struct pthread`, which is larger than 2 KiB.
    let word = |at: usize| unsafe { ((block + at) as *const u32).read_volatile() };
    AREA.step_by(4).find(|at| word(*at) == own)
}

/// An address above the frames of the program's first thread: the kernel puts this value there.
pub(crate) fn first_stack_end() -> usize {
    // SAFETY: takes a number only.
    unsafe { libc::getauxval(libc::AT_RANDOM) as usize }
}

/// Nanoseconds of the monotonic clock.
#[inline(never)]
pub(crate) fn now_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes the timespec it is given; the clock exists on every kernel.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}

/// Sleeps; signals are blocked in the runtime's thread, so nothing cuts it short but glibc's own.
pub(crate) fn sleep_ms(ms: i32) {
    // SAFETY: no descriptors, so nothing is read or written.
    unsafe { libc::poll(core::ptr::null_mut(), 0, ms) };
}

/// Whether there is memory at an address (of four bytes, aligned) that holds a value: the kernel compares before it
/// moves none of the threads that wait there, and does not fault.
pub(crate) fn word_is(address: usize, value: u32) -> bool {
    let operation = libc::FUTEX_CMP_REQUEUE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the kernel reads the word if it can, and writes nothing.
    unsafe { libc::syscall(libc::SYS_futex, address, operation, 0, 0usize, address, value) == 0 }
}

/// Sleeps for less than a millisecond.
pub(crate) fn sleep_us(us: i64) {
    let time = libc::timespec { tv_sec: 0, tv_nsec: us * 1000 };
    // SAFETY: reads a local; what is left of the time is not asked for.
    unsafe { libc::nanosleep(&raw const time, core::ptr::null_mut()) };
}

/// Whether a seccomp filter is on the calling thread: then even a harmless call may kill the process.
pub(crate) fn seccomp_active() -> bool {
    // SAFETY: takes numbers only.
    unsafe { libc::prctl(libc::PR_GET_SECCOMP, 0, 0, 0, 0) > 0 }
}

/// Starts a detached thread with every signal blocked, so that the program's handlers never run on it.
pub(crate) fn spawn(run: extern "C" fn(*mut c_void) -> *mut c_void) -> bool {
    /// `dlopen` needs tens of KiB; untouched pages of it cost nothing.
    const STACK: usize = 512 << 10;
    // SAFETY: all structures are locals, initialised by the call before their first use; the mask of the calling
    // thread is put back before returning. `run` takes no argument.
    unsafe {
        let mut all: libc::sigset_t = core::mem::zeroed();
        let mut before: libc::sigset_t = core::mem::zeroed();
        libc::sigfillset(&raw mut all);
        if libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before) != 0 {
            return false;
        }
        let mut attributes: libc::pthread_attr_t = core::mem::zeroed();
        libc::pthread_attr_init(&raw mut attributes);
        libc::pthread_attr_setdetachstate(&raw mut attributes, libc::PTHREAD_CREATE_DETACHED);
        libc::pthread_attr_setstacksize(&raw mut attributes, STACK);
        let mut thread: libc::pthread_t = core::mem::zeroed();
        let mut failed = libc::pthread_create(&raw mut thread, &raw const attributes, run, core::ptr::null_mut()) != 0;
        if failed {
            // Static TLS can be larger than the stack asked for: then the default size.
            libc::pthread_attr_destroy(&raw mut attributes);
            libc::pthread_attr_init(&raw mut attributes);
            libc::pthread_attr_setdetachstate(&raw mut attributes, libc::PTHREAD_CREATE_DETACHED);
            failed = libc::pthread_create(&raw mut thread, &raw const attributes, run, core::ptr::null_mut()) != 0;
        }
        libc::pthread_attr_destroy(&raw mut attributes);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, core::ptr::null_mut());
        !failed
    }
}

/// Registers handlers for `fork` - before it, after it in parent and child - and for normal exit.
pub(crate) fn on_fork_and_exit(
    before: extern "C" fn(),
    parent: extern "C" fn(),
    child: extern "C" fn(),
    exit: extern "C" fn(),
) {
    // SAFETY: all handlers live as long as the module does, which `keep_module` makes for ever; without memory
    // for them the runtime merely serves no children, or leaves a stale socket.
    unsafe {
        libc::pthread_atfork(Some(before), Some(parent), Some(child));
        libc::atexit(exit);
    }
}

/// Names the calling thread.
pub(crate) fn name_thread(name: &CStr) {
    // SAFETY: reads a NUL-terminated string.
    unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
}

/// Gives the calling thread a file table of its own, empty but for `/dev/null` as 0 to 2. So the program may close
/// or count its descriptors as it likes and never meets one of ours, nor do ours keep any of its files open.
/// If the kernel will not (a seccomp filter), the runtime shares the program's table as well as it can.
pub(crate) fn own_file_table() {
    // SAFETY: plain system calls. CLOSE_RANGE_UNSHARE leaves the program's table alone; descriptors are closed in
    // the new table only, and only if the thread has one.
    unsafe {
        if libc::syscall(libc::SYS_close_range, 0, u32::MAX, libc::CLOSE_RANGE_UNSHARE) != 0 {
            if libc::unshare(libc::CLONE_FILES) != 0 {
                super::SHARED_TABLE.store(true, Ordering::Relaxed);
                return;
            }
            // Kernels before 5.9.
            let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
            for fd in 0..i32::try_from(limit.rlim_cur.min(1 << 20)).unwrap_or(1 << 20) {
                libc::close(fd);
            }
        }
        for _ in 0..3 {
            libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC);
        }
    }
}

static BARRIER: AtomicBool = AtomicBool::new(false);
const MEMBARRIER_SYNC_CORE: i32 = 1 << 5;
const MEMBARRIER_REGISTER_SYNC_CORE: i32 = 1 << 6;

/// Tells the kernel that this process will want [`barrier`].
pub(crate) fn register_barrier() {
    // SAFETY: plain system call.
    let done = unsafe { libc::syscall(libc::SYS_membarrier, MEMBARRIER_REGISTER_SYNC_CORE, 0, 0) };
    BARRIER.store(done == 0, Ordering::Relaxed);
}

/// Whether [`barrier`] works.
pub(crate) fn has_barrier() -> bool {
    BARRIER.load(Ordering::Relaxed)
}

/// When it returns, every core that runs this process has executed a core-serialising instruction.
pub(crate) fn barrier() {
    // SAFETY: plain system call; it cannot fail once registered, which `has_barrier` told.
    unsafe { libc::syscall(libc::SYS_membarrier, MEMBARRIER_SYNC_CORE, 0, 0) };
}

/// Whether the program was started with more rights than its caller has (`AT_SECURE`, ld.so(8)).
pub(crate) fn is_secure() -> bool {
    // SAFETY: takes a number only.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// A variable of the environment. Where other threads may be changing the environment (a library loaded later), as it was when
/// the program started.
pub(crate) fn environment<const N: usize>(name: &CStr) -> Option<Text<N>> {
    if !is_single_threaded() {
        return initial_environment(name);
    }
    // SAFETY: reads the environment, and a string in it that is NUL-terminated; the only thread of the process is here,
    // so nobody changes either.
    unsafe {
        let found = libc::getenv(name.as_ptr());
        (!found.is_null()).then(|| Text::from_c_str(CStr::from_ptr(found)))
    }
}

/// Whether the calling thread is the only one, as glibc has it since 2.32; false where nobody says so.
fn is_single_threaded() -> bool {
    // SAFETY: finds a symbol by name, which is NUL-terminated.
    let flag: *const u8 = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__libc_single_threaded".as_ptr()) }.cast();
    // SAFETY: null, or glibc's `char` of that name (sys/single_threaded.h); while it is not 0, this thread alone writes it.
    unsafe { flag.as_ref() }.is_some_and(|flag| *flag != 0)
}

/// A variable of the environment that the program was started with: the kernel reads it without a fault, whatever the
/// program does with that memory. Longer ones than a path of a socket are clipped.
#[cold]
fn initial_environment<const N: usize>(name: &CStr) -> Option<Text<N>> {
    let mut found = None;
    let entries = each_line(c"/proc/self/environ", 0, &mut |entry: &[u8]| {
        let value = entry.strip_prefix(name.to_bytes()).and_then(|rest| rest.strip_prefix(b"="));
        if let (Some(value), None) = (value, &found) {
            found = Some(Text::empty().with(value));
        }
    });
    found.filter(|_| entries.is_ok())
}

/// Calls `each` for the lines of a file, clipped to more than is asked of any of them; `end` is the byte after each.
pub(super) fn each_line(path: &CStr, end: u8, each: &mut dyn for<'l> Callback<&'l [u8]>) -> Result<(), Errno> {
    let file = open(path, 0)?;
    let mut line = Text::<128>::empty();
    let mut buffer = [0; 2048];
    loop {
        let part = read(&file, &mut buffer)?;
        if part.is_empty() {
            return Ok(());
        }
        for byte in part {
            if *byte == end {
                each.call(line.as_bytes());
                line = Text::empty();
            } else {
                line.push(core::slice::from_ref(byte));
            }
        }
    }
}

/// Opens a file for reading.
pub(super) fn open(path: &CStr, flags: i32) -> Result<Fd, Errno> {
    // SAFETY: reads a NUL-terminated path.
    check(unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC | flags) }).map(Fd::new)
}

/// The next bytes of a file; none at its end.
pub(super) fn read<'b>(file: &Fd, buffer: &'b mut [u8]) -> Result<&'b [u8], Errno> {
    // SAFETY: writes at most the length of the buffer into it.
    let count = check_size(unsafe { libc::read(file.number(), buffer.as_mut_ptr().cast(), buffer.len()) })?;
    Ok(buffer.get(..count).unwrap_or(&[]))
}

fn status_with(call: impl FnOnce(*mut libc::stat) -> i32) -> Result<libc::stat, Errno> {
    // SAFETY: `stat` consists of integers, for which zero is a value.
    let mut status: libc::stat = unsafe { core::mem::zeroed() };
    check(call(&raw mut status))?;
    Ok(status)
}

/// Status of a path, symbolic links not followed.
pub(crate) fn lstat(path: &CStr) -> Result<libc::stat, Errno> {
    // SAFETY: reads the path, writes the structure.
    status_with(|to| unsafe { libc::lstat(path.as_ptr(), to) })
}

/// Status of an open file.
pub(crate) fn fstat(fd: &Fd) -> Result<libc::stat, Errno> {
    // SAFETY: writes the structure.
    status_with(|to| unsafe { libc::fstat(fd.number(), to) })
}

/// Makes a directory.
pub(crate) fn mkdir(path: &CStr, mode: u32) -> Result<(), Errno> {
    // SAFETY: reads the path.
    check(unsafe { libc::mkdir(path.as_ptr(), mode) }).map(drop)
}

/// Whether the effective user may write there.
pub(crate) fn may_write(directory: &CStr) -> bool {
    // SAFETY: reads the path.
    unsafe { libc::faccessat(libc::AT_FDCWD, directory.as_ptr(), libc::W_OK | libc::X_OK, libc::AT_EACCESS) == 0 }
}

/// Removes a file; whether it was there does not matter.
pub(crate) fn unlink(path: &CStr) {
    // SAFETY: reads the path.
    unsafe { libc::unlink(path.as_ptr()) };
}

/// Gives a file a second name, which must not exist yet.
pub(crate) fn link(from: &CStr, to: &CStr) -> Result<(), Errno> {
    // SAFETY: reads the paths.
    check(unsafe { libc::link(from.as_ptr(), to.as_ptr()) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_initial_environment_is_found_by_the_whole_name_only() {
        let (name, value) =
            std::env::vars().find(|(_, value)| (1..100).contains(&value.len())).expect("tests have one");
        let c_name = std::ffi::CString::new(name.as_str()).expect("it came out of a C string");
        let found = initial_environment::<256>(&c_name).expect("it was there from the start");
        assert_eq!(found.as_bytes(), value.as_bytes());
        for other in [&name[1..], &format!("{name}X"), &name[..name.len() - 1], "DSU_NOT_SET_BY_ANYBODY"] {
            let known = std::env::var(other).ok().map(String::into_bytes);
            let found = initial_environment::<256>(&std::ffi::CString::new(other).expect("likewise"));
            assert_eq!(found.map(|text| text.as_bytes().to_vec()), known, "{other}");
        }
        assert!(!is_single_threaded(), "the harness has a thread for each test");
    }
}
