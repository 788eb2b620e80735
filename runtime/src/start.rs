//! Constructor, `fork`, exit.

use core::ffi::c_void;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use dsu_abi::note;

use crate::phase;
use crate::place::{self, Path, Start};
use crate::server;
use crate::state::STATE;
use crate::sys::turn::{Once, Turn};
use crate::sys::{loader, process};
use crate::text::c_str;
use crate::{gate, threads};

/// The entry of the constructors' table that starts the runtime. Being the symbol that programs are linked with
/// (`-u __dsu_runtime`), it is in the program whenever the runtime is.
#[used]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".init_array")]
pub static __dsu_runtime: extern "C" fn() = begin;

/// A process that runs on for less leaves no trace in the file system: configure checks, children on their way to
/// exec, the first half of a daemon's start.
const SETTLE_MS: i32 = 30;

static START: Once<Start> = Once::new();

/// Process that the socket is of; 0 when there is none.
static SOCKET_OF: AtomicU32 = AtomicU32::new(0);
/// Where it is; written before `SOCKET_OF`, so that the exiting thread reads it whole.
static SOCKET: [AtomicU8; 108] = [const { AtomicU8::new(0) }; 108];
static EXITING: AtomicBool = AtomicBool::new(false);

/// Whether this copy of the runtime serves the process: see [`note::TYPE_RUNTIME`].
static SERVING: AtomicU32 = AtomicU32::new(0);

// A note (`dsu_abi::note::TYPE_RUNTIME`), by which the copies in one process - program, libraries, plugins - find each
// other whatever the scope of their symbols.
core::arch::global_asm!(
    ".pushsection .note.dsu,\"a\",@note",
    ".p2align 2",
    ".long 4, 8, 2",
    ".asciz \"DSU\"",
    ".quad {serving} - .",
    ".popsection",
    serving = sym SERVING,
);

extern "C" fn begin() {
    SERVING.store(note::LOADED, Ordering::SeqCst);
    // Constructors run one after the other, so the first copy serves; it knows the modules of all.
    if loader::runtime_is_serving() {
        return;
    }
    // Turned off: glibc takes no locks in a program that never had a second thread.
    let Some(start) = place::start() else { return };
    // SAFETY: this is the constructor, which runs once.
    unsafe { START.set(start) };
    SERVING.store(note::SERVING, Ordering::SeqCst);
    threads::make_pool();
    gate::prepare();
    if loader::keep_module((&raw const __dsu_runtime).cast()) {
        // As long as there is one thread, this does not wait for the other cores (an RCU grace period, 10 ms).
        process::register_barrier();
    }
    // The thread first: it makes malloc register its own fork handlers, which must then run before ours in a child.
    if process::spawn(run) {
        process::on_fork_and_exit(phase::before_fork, phase::after_fork_in_parent, in_child, at_exit);
    }
}

/// The runtime's thread.
extern "C" fn run(_argument: *mut c_void) -> *mut c_void {
    // SAFETY: the runtime has one thread in a process: started by the constructor, or by the child of a fork, in
    // which no other thread is left.
    let turn = unsafe { Turn::take() };
    process::name_thread(c"dsu");
    process::own_file_table();
    process::sleep_ms(SETTLE_MS);
    if !process::has_barrier() {
        process::register_barrier();
    }
    match START.get().map(|start| server::run(start, turn)) {
        Some(server::End::ServedByAnother) => core::ptr::null_mut(),
        // The thread stays, so that dsuctl sees why there is no socket.
        None | Some(server::End::NoSocket) => loop {
            process::name_thread(c"dsu-nosocket");
            process::sleep_ms(-1);
        },
    }
}

/// In a child of `fork`, on its only thread: finishes an update its parent was at, starts its own runtime.
extern "C" fn in_child() {
    SOCKET_OF.store(0, Ordering::SeqCst);
    let phase = phase::after_fork_in_child();
    {
        // SAFETY: this is the only thread of the process, and lets go of the turn before it starts another.
        let mut turn = unsafe { Turn::take() };
        STATE.get(&mut turn).after_fork(phase);
    }
    // A stack is no matter for malloc, which the fork may have left locked: glibc finds that of the parent's thread
    // in its cache. Under a seccomp filter, starting a thread could be the child's death.
    if !process::seccomp_active() {
        process::register_barrier();
        process::spawn(run);
    }
}

/// Notes the socket, so that exit removes it; removes it at once if exit was faster.
pub(crate) fn remember_socket(path: &Path) {
    SOCKET_OF.store(0, Ordering::SeqCst);
    for (at, place) in SOCKET.iter().enumerate() {
        place.store(path.as_bytes().get(at).copied().unwrap_or(0), Ordering::Relaxed);
    }
    SOCKET_OF.store(process::pid(), Ordering::SeqCst);
    if EXITING.load(Ordering::SeqCst) {
        at_exit();
    }
}

/// Removes the socket, in the process that made it only.
extern "C" fn at_exit() {
    EXITING.store(true, Ordering::SeqCst);
    if SOCKET_OF.load(Ordering::SeqCst) == process::pid() {
        let path = SOCKET.each_ref().map(|byte| byte.load(Ordering::Relaxed));
        if let Some(path) = c_str(&path) {
            process::unlink(path);
        }
    }
}
