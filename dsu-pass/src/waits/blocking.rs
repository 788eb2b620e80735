//! The functions in which a thread waits, and the few others that say what a loop around them does.

use super::origin;
use crate::llvm::Value;

/// What a blocking call waits for. The earlier of two in one loop is where the thread waits for work; the later is
/// then part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Wait {
    /// A library's event loop, which waits inside.
    Library,
    /// Events of many descriptors.
    Events,
    /// A connection.
    Accept,
    /// A signal.
    Signal,
    /// A semaphore or a message queue.
    Queue,
    /// A condition variable.
    Condition,
    /// Time.
    Sleep,
    /// Input from one descriptor.
    Input,
    /// A mutex.
    Mutex,
    /// Another thread's end.
    Join,
}

/// (name, what it waits for, number of the argument that is looked at, if any).
const FUNCTIONS: [(&str, Wait, usize); 73] = {
    use Wait::*;
    const NONE: usize = usize::MAX;
    [
        ("epoll_wait", Events, 3),
        ("epoll_pwait", Events, 3),
        ("epoll_pwait2", Events, NONE),
        ("poll", Events, 2),
        ("__poll_chk", Events, 2),
        ("ppoll", Events, NONE),
        ("__ppoll_chk", Events, NONE),
        ("select", Events, NONE),
        ("pselect", Events, NONE),
        ("accept", Accept, NONE),
        ("accept4", Accept, NONE),
        ("sigwait", Signal, NONE),
        ("sigwaitinfo", Signal, NONE),
        ("sigtimedwait", Signal, NONE),
        ("sigsuspend", Signal, NONE),
        ("pause", Signal, NONE),
        ("sem_wait", Queue, NONE),
        ("sem_timedwait", Queue, NONE),
        ("sem_clockwait", Queue, NONE),
        ("mq_receive", Queue, NONE),
        ("mq_timedreceive", Queue, NONE),
        ("msgrcv", Queue, 4),
        ("pthread_cond_wait", Condition, NONE),
        ("pthread_cond_timedwait", Condition, NONE),
        ("pthread_cond_clockwait", Condition, NONE),
        ("cnd_wait", Condition, NONE),
        ("cnd_timedwait", Condition, NONE),
        // Libraries' own, which may well be part of the program: libuv's, GLib's, APR's.
        ("uv_sem_wait", Queue, NONE),
        ("g_async_queue_pop", Queue, NONE),
        ("g_async_queue_timeout_pop", Queue, NONE),
        ("apr_queue_pop", Queue, NONE),
        ("uv_cond_wait", Condition, NONE),
        ("uv_cond_timedwait", Condition, NONE),
        ("g_cond_wait", Condition, NONE),
        ("g_cond_wait_until", Condition, NONE),
        ("apr_thread_cond_wait", Condition, NONE),
        ("apr_thread_cond_timedwait", Condition, NONE),
        ("sleep", Sleep, NONE),
        ("usleep", Sleep, NONE),
        ("nanosleep", Sleep, NONE),
        ("clock_nanosleep", Sleep, NONE),
        ("thrd_sleep", Sleep, NONE),
        ("read", Input, NONE),
        ("__read_chk", Input, NONE),
        ("recv", Input, 3),
        ("__recv_chk", Input, 4),
        ("recvfrom", Input, 3),
        ("__recvfrom_chk", Input, 4),
        ("recvmsg", Input, 2),
        ("fgets", Input, NONE),
        ("__fgets_chk", Input, NONE),
        ("fgets_unlocked", Input, NONE),
        ("getc", Input, NONE),
        ("_IO_getc", Input, NONE),
        ("fgetc", Input, NONE),
        ("getchar", Input, NONE),
        ("getline", Input, NONE),
        ("getdelim", Input, NONE),
        ("__getdelim", Input, NONE),
        ("pthread_mutex_lock", Mutex, NONE),
        ("pthread_join", Join, NONE),
        ("pthread_timedjoin_np", Join, NONE),
        ("thrd_join", Join, NONE),
        ("uv_thread_join", Join, NONE),
        ("event_base_loop", Library, 1),
        ("event_base_dispatch", Library, NONE),
        ("event_loop", Library, 0),
        ("event_dispatch", Library, NONE),
        ("ev_run", Library, 1),
        ("uv_run", Library, 1),
        ("g_main_loop_run", Library, NONE),
        ("g_main_context_iteration", Library, 1),
        ("sd_event_loop", Library, NONE),
    ]
};

const MSG_DONTWAIT: i64 = 0x40;
const IPC_NOWAIT: i64 = 0o4000;
/// libevent's `EVLOOP_NONBLOCK`, and libuv's `UV_RUN_NOWAIT`.
const NO_WAIT: i64 = 2;
/// libev's `EVRUN_NOWAIT`.
const EVRUN_NOWAIT: i64 = 1;

/// Functions that a loop may call which does nothing but wait.
const BESIDE: [&str; 18] = [
    "__errno_location",
    "pthread_mutex_lock",
    "pthread_mutex_unlock",
    "mtx_lock",
    "mtx_unlock",
    "uv_mutex_lock",
    "uv_mutex_unlock",
    "g_mutex_lock",
    "g_mutex_unlock",
    "pthread_testcancel",
    "pthread_setcancelstate",
    "pthread_cancel",
    "pthread_kill",
    "sched_yield",
    "time",
    "clock_gettime",
    "gettimeofday",
    "free",
];

/// Functions that begin work elsewhere: a loop that calls one hands out work.
const HANDS_OUT: [&str; 8] = [
    "pthread_create",
    "thrd_create",
    "uv_thread_create",
    "uv_thread_create_ex",
    "fork",
    "vfork",
    "posix_spawn",
    "clone",
];

/// The names to look for.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|entry| entry.0)
}

/// What a call waits for: it is one of libc's or of a known library's blocking functions, and may block.
pub(super) fn wait(call: Value<'_>) -> Option<Wait> {
    let callee = call.callee().filter(|callee| callee.is_function() && callee.is_declaration())?;
    let name = callee.name();
    let &(name, wait, looked_at) = FUNCTIONS.iter().find(|entry| entry.0 == name)?;
    let arguments = call.arguments();
    let number = arguments.get(looked_at).and_then(|argument| argument.number());
    let flag = |flag: i64| number.is_some_and(|flags| flags & flag != 0);
    let returns_at_once = match name {
        "epoll_wait" | "epoll_pwait" | "poll" | "__poll_chk" | "g_main_context_iteration" => number == Some(0),
        "recv" | "__recv_chk" | "recvfrom" | "__recvfrom_chk" | "recvmsg" => flag(MSG_DONTWAIT),
        "msgrcv" => flag(IPC_NOWAIT),
        "event_base_loop" | "event_loop" | "uv_run" => number == Some(NO_WAIT),
        "ev_run" => flag(EVRUN_NOWAIT),
        _ => false,
    };
    // Of one descriptor nobody waits for work of any kind, but for this input or to be able to write.
    let one = matches!(name, "poll" | "__poll_chk" | "ppoll" | "__ppoll_chk")
        && arguments.get(1).and_then(|count| count.number()).is_some_and(|count| count <= 1);
    (!returns_at_once).then_some(if one { Wait::Input } else { wait })
}

/// The mutex that a wait for a condition gives back meanwhile.
pub(super) fn released(call: Value<'_>) -> Option<Value<'_>> {
    (wait(call) == Some(Wait::Condition)).then(|| call.arguments().get(1).copied()).flatten()
}

/// Whether a wait on main's part for so long that nothing else can be going on: `pause`, `sigwait`, `sleep(1)`.
pub(super) fn is_long(call: Value<'_>) -> bool {
    let seconds = || call.arguments().first().and_then(|argument| argument.number());
    let sleeps = call.callee().is_some_and(|callee| callee.name() == "sleep");
    wait(call) == Some(Wait::Signal) || (sleeps && seconds().is_some_and(|seconds| seconds >= 1))
}

/// Whether the input a call waits for comes from where work comes from: the standard input, a connection, or, with
/// `thread`, what the thread was started for. Not from a file that was opened.
pub(super) fn is_input_of_work(call: Value<'_>, thread: bool) -> bool {
    let arguments = call.arguments();
    let place = match call.callee().map(|callee| callee.name()).as_deref() {
        Some("getchar") => return true,
        Some("fgets" | "fgets_unlocked" | "getline") => 2,
        Some("__fgets_chk" | "getdelim" | "__getdelim") => 3,
        Some("poll" | "__poll_chk" | "ppoll" | "__ppoll_chk") => return false,
        _ => 0,
    };
    let origins = arguments.get(place).map_or_else(Vec::new, |&input| origin::of(input));
    !origins.is_empty()
        && origins.iter().all(|from| {
            let name = from.callee().map(|callee| callee.name()).unwrap_or_default();
            from.number() == Some(0)
                || from.name() == "stdin"
                || matches!(name.as_str(), "accept" | "accept4")
                || (thread && from.is_parameter())
        })
}

/// Whether a call is nothing to a loop that only waits.
pub(super) fn is_beside(call: Value<'_>) -> bool {
    let name = call.callee().map(|callee| callee.name()).unwrap_or_default();
    wait(call).is_some() || BESIDE.contains(&name.as_str()) || is_silent(&name)
}

/// Whether a function is one of LLVM's or ours, which do nothing that the source asks for.
pub(super) fn is_silent(name: &str) -> bool {
    name.starts_with("llvm.") || name.starts_with("__dsu_")
}

/// Whether a call hands out work: through a pointer to a function, or to another thread or process.
pub(super) fn hands_out(call: Value<'_>) -> bool {
    use crate::llvm::ValueKind::LLVMInlineAsmValueKind;
    call.callee().is_some_and(|callee| match callee.is_function() {
        true => HANDS_OUT.contains(&callee.name().as_str()),
        false => callee.kind() != LLVMInlineAsmValueKind,
    })
}
