//! Constructor, `fork`, exit.

use core::ffi::c_void;
use core::sync::atomic::{AtomicU32, Ordering};

use dsu_abi::note;

use crate::place::{self, Start};
use crate::state::STATE;
use crate::sys::token::{Once, ThreadToken};
use crate::sys::{dlopen, modules, process};
use crate::{arch, phase, server, slow_path, threads};

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

/// Whether this copy of the runtime serves the process: see [`note::TYPE_RUNTIME`].
static SERVING: AtomicU32 = AtomicU32::new(0);

// By this note the copies in one process - program, libraries, plugins - find each other whatever the scope of their
// symbols.
arch::runtime_note!(word = SERVING);

extern "C" fn begin() {
    SERVING.store(note::LOADED, Ordering::SeqCst);
    // Constructors run one after the other, so the first copy serves; it knows the modules of all.
    if modules::runtime_is_serving() {
        return;
    }
    // Turned off: glibc takes no locks in a program that never had a second thread.
    let Some(start) = place::start() else { return };
    // SAFETY: this is the constructor, which runs once.
    unsafe { START.set(start) };
    SERVING.store(note::SERVING, Ordering::SeqCst);
    threads::make_pool();
    slow_path::prepare();
    if dlopen::keep_module((&raw const __dsu_runtime).cast()) {
        // As long as there is one thread, this does not wait for the other cores (an RCU grace period, 10 ms).
        process::register_barrier();
    }
    // The thread first: it makes malloc register its own fork handlers, which must then run before ours in a child.
    if process::spawn(run) {
        process::on_fork_and_exit(phase::before_fork, phase::after_fork_in_parent, in_child, place::remove_socket);
    }
}

/// The runtime's thread.
extern "C" fn run(_argument: *mut c_void) -> *mut c_void {
    // SAFETY: the runtime has one thread in a process: started by the constructor, or by the child of a fork, in
    // which no other thread is left.
    let token = unsafe { ThreadToken::take() };
    process::name_thread(c"dsu");
    process::own_file_table();
    process::sleep_ms(SETTLE_MS);
    if !process::has_barrier() {
        process::register_barrier();
    }
    match START.get().map(|start| server::run(start, token)) {
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
    place::forget_socket();
    let phase = phase::after_fork_in_child();
    {
        // SAFETY: this is the only thread of the process, and lets go of the token before it starts another.
        let mut token = unsafe { ThreadToken::take() };
        STATE.get(&mut token).after_fork(phase);
    }
    // A stack is no matter for malloc, which the fork may have left locked: glibc finds that of the parent's thread
    // in its cache. Under a seccomp filter, starting a thread could be the child's death.
    if !process::seccomp_active() {
        process::register_barrier();
        process::spawn(run);
    }
}
