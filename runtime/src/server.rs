//! The socket: waits for requests, answers them one by one. A client that is slow, silent or rude costs itself its
//! connection, and nobody else anything.

use core::sync::atomic::Ordering;

use dsu_abi::wire::{
    AppliedPatch, Apply, Blocker, Code, Done, FunctionVersion, ModuleStatus, PACKET_MAX, Packet, ProcessStatus,
    ThreadStatus, TransitionStatus,
};

use crate::fail::{Fail, Result};
use crate::outcome::Outcome;
use crate::phase::{self, Phase};
use crate::place::{self, Path, Start};
use crate::state::{STATE, State, modules};
use crate::sys::token::ThreadToken;
use crate::sys::{Errno, Fd, process, socket, tasks};
use crate::threads;
use crate::transition;

/// Connections that may wait for their request; the oldest goes when there is another.
const WAITING: usize = 15;
/// How long a client may leave an answer unread.
const SEND_TIMEOUT_MS: i32 = 1000;
/// How often to look whether the socket is still ours, if nothing else happens.
const LOOK_MS: i32 = 60_000;

/// Why serving ended before the process.
pub(crate) enum End {
    /// Another copy of the runtime in this process was first.
    ServedByAnother,
    /// The socket cannot be made.
    NoSocket,
}

/// Serves until the process ends, if it can.
pub(crate) fn run(start: &Start, mut token: ThreadToken) -> End {
    let mut failures = 0;
    while failures < 5 {
        let Some(directory) = place::directory(start) else { return End::NoSocket };
        match bind(&directory) {
            Bound::Listening(listener) => {
                failures = 0;
                serve(&listener, &mut token);
            }
            Bound::ServedByAnother => return End::ServedByAnother,
            Bound::Failed => failures += 1,
        }
        process::sleep_ms(10);
    }
    End::NoSocket
}

enum Bound {
    Listening(Listener),
    ServedByAnother,
    Failed,
}

/// A listening socket, and the inode that its descriptor must still show.
struct Listener {
    fd: Fd,
    inode: u64,
}

impl Listener {
    /// Whether the descriptor still is this socket: without a file table of its own, the program may have closed
    /// it, or reused its number.
    fn is_ours(&self) -> bool {
        process::fstat(&self.fd).is_ok_and(|status| status.st_ino == self.inode)
    }
}

/// Listens under a temporary name first: the final name appears with a listener behind it or not at all, and
/// belongs to whoever linked it first.
fn bind(directory: &Path) -> Bound {
    let pid = process::pid();
    let (temporary, path) = (place::socket(directory, pid, true), place::socket(directory, pid, false));
    let (Some(temporary), Some(path)) = (temporary, path) else { return Bound::Failed };
    let (Some(from), Some(to)) = (temporary.as_c_str(), path.as_c_str()) else { return Bound::Failed };
    match socket::owner(to) {
        Ok(owner) if owner == pid => return Bound::ServedByAnother,
        // Nobody listens: of an earlier process with this number, or ours and lost.
        Err(Errno(libc::ECONNREFUSED)) => process::unlink(to),
        _ => {}
    }
    process::unlink(from);
    let bound = socket::listen(from).and_then(|fd| {
        process::link(from, to)?;
        Ok(fd)
    });
    process::unlink(from);
    match bound.and_then(|fd| Ok(Listener { inode: process::fstat(&fd)?.st_ino, fd })) {
        Ok(listener) => {
            place::remember_socket(&path);
            Bound::Listening(listener)
        }
        Err(_) => Bound::Failed,
    }
}

/// Until the listening socket is lost.
fn serve(listener: &Listener, token: &mut ThreadToken) {
    let mut waiting: [Option<Fd>; WAITING] = [const { None }; WAITING];
    let mut next = 0;
    let mut queue: Option<Queued> = None;
    while listener.is_ours() {
        let mut fds = [-1; WAITING + 1];
        for (place, fd) in fds.iter_mut().skip(1).zip(&waiting) {
            *place = fd.as_ref().map_or(-1, Fd::number);
        }
        let [first, ..] = &mut fds;
        *first = listener.fd.number();
        let ready = socket::wait(fds, rest_ms(token));
        STATE.get(token).forget_closed();
        STATE.get(token).poll();
        if STATE.get(token).transition.is_none()
            && let Some(queued) = queue.take()
        {
            applied(&queued.connection, -1, queued.file, &queued.request, token);
        }
        for (place, ready) in waiting.iter_mut().zip(ready.iter().skip(1)) {
            if *ready && let Some(connection) = place.take() {
                request(connection, token, &mut queue);
            }
        }
        if ready.first() == Some(&true) {
            match socket::accept(&listener.fd) {
                Ok(connection) => {
                    if let Some(place) = waiting.get_mut(next) {
                        *place = Some(connection);
                    }
                    next = (next + 1) % WAITING;
                }
                // Out of descriptors or memory: do not spin.
                Err(Errno(libc::EAGAIN | libc::EINTR | libc::ECONNABORTED)) => {}
                Err(_) => process::sleep_ms(50),
            }
        }
    }
}

/// Where an answer goes. An error means that the client is gone or does not read.
struct Answer<'c>(&'c Fd);

impl Answer<'_> {
    fn packet(&self, packet: &Packet<'_>) -> core::result::Result<(), Errno> {
        let mut buffer = [0; PACKET_MAX];
        socket::send(self.0, packet.encode(&mut buffer), SEND_TIMEOUT_MS)
    }

    fn failure(&self, fail: &Fail) -> core::result::Result<(), Errno> {
        fail.report(|failure| self.packet(&Packet::Failure(failure)))
    }
}

/// How long to wait when no client comes.
fn rest_ms(token: &mut ThreadToken) -> i32 {
    match STATE.get(token).rest_ms() {
        -1 => LOOK_MS,
        rest => rest,
    }
}

/// An apply that waits for the end of another update.
struct Queued {
    connection: Fd,
    file: Fd,
    request: Apply,
}

/// Reads one request and answers it, or puts it in the queue.
fn request(connection: Fd, token: &mut ThreadToken, queue: &mut Option<Queued>) {
    let mut buffer = [0; PACKET_MAX];
    let Ok((packet, [memory, file])) = socket::receive(&connection, &mut buffer) else { return };
    if packet.is_empty() {
        return; // Closed by the client.
    }
    let answer = Answer(&connection);
    let refused = |fail: Fail| {
        // An error of the answer is the client's loss.
        let _sent = answer.failure(&fail);
    };
    // Who can open this process's memory has the right to attach a debugger, by the kernel's own judgement; nobody else may
    // ask for anything.
    if !memory.is_some_and(|memory| process::is_own_memory(&memory)) {
        return refused(Fail::new(Code::NotPermitted, "", ""));
    }
    if phase::lost() {
        return refused(Fail::new(Code::ForkedInUpdate, "", ""));
    }
    match (Packet::parse_request(packet), file) {
        (Ok(Packet::Apply(request)), Some(file)) => {
            let busy = STATE.get(token).transition.is_some();
            if busy && request.queue && queue.is_none() {
                *queue = Some(Queued { connection, file, request });
            } else {
                applied(&connection, connection.number(), file, &request, token);
            }
        }
        (Ok(Packet::Revert(request)), _) => {
            STATE.get(token).client = connection.number();
            with_linker(&answer, token, |state| changed(state.revert(&request), &answer));
        }
        (Ok(Packet::Status), _) => {
            let queued = queue.is_some();
            with_linker(&answer, token, |state| status(state, queued, &answer));
        }
        (Ok(_), _) => refused(Fail::new(Code::BadRequest, "", "message of an unexpected kind")),
        (Err(error), _) => refused(Fail::new(Code::BadRequest, "", error.0)),
    }
}

/// `client` is the connection again, or -1 for a request that goes on without its client.
fn applied(connection: &Fd, client: i32, file: Fd, request: &Apply, token: &mut ThreadToken) {
    let answer = Answer(connection);
    STATE.get(token).client = client;
    with_linker(&answer, token, |state| changed(state.apply(&file, request), &answer));
}

/// Runs something that uses the dynamic linker, which no fork must meet.
fn with_linker(
    answer: &Answer<'_>,
    token: &mut ThreadToken,
    run: impl FnOnce(&mut State) -> core::result::Result<(), Errno>,
) {
    let _sent = if phase::enter(Phase::Loading) {
        let sent = run(STATE.get(token));
        phase::leave();
        sent
    } else {
        answer.failure(&Fail::new(Code::OutOfResources, "the program forks all the time", ""))
    };
}

fn status(state: &State, queued: bool, answer: &Answer<'_>) -> core::result::Result<(), Errno> {
    let modules = modules();
    phase::leave(); // The dynamic linker is done with; only a copy is read from here on.
    let generation = state.transition.map_or(state.history.generation, |transition| transition.goal());
    let mut told = ProcessStatus { pid: process::pid(), generation, images: 0, reclaimed: 0, code: 0, data: 0 };
    for image in state.images() {
        let reclaimed = image.reclaimed.load(Ordering::Relaxed);
        told.images += 1;
        told.reclaimed += u32::from(reclaimed);
        told.code += if reclaimed { 0 } else { (image.code.end - image.code.start) as u64 };
        told.data += image.data;
    }
    answer.packet(&Packet::Process(told))?;
    if let Some(transition) = state.transition {
        answer.packet(&Packet::Transition(TransitionStatus {
            from: transition.from,
            to: transition.to,
            cancelled: transition.cancelled,
            elapsed_ns: transition.elapsed_ns(),
            timeout_ms: transition.timeout_ms,
            queued,
        }))?;
    }
    each_thread(state, answer)?;
    for module in modules?.as_slice() {
        answer.packet(&Packet::Module(ModuleStatus {
            path: module.path.as_str(),
            build_id: module.build_id(),
            dispatch: module.dispatch,
            functions: module.functions,
            points: module.points,
            skipped: module.skipped,
        }))?;
        let Some(active) = state.history.active_on(module) else { continue };
        let undo = state.history.undo_on(module).flatten();
        for (depth, patch) in core::iter::once(active).chain(undo).enumerate() {
            let (name, checksum, generation) = (patch.image.name, patch.image.checksum, patch.generation);
            answer.packet(&Packet::Applied(AppliedPatch { name, checksum, generation, depth: depth as u32 }))?;
        }
        for r in active.image.replacements {
            let version = active.generation;
            answer.packet(&Packet::Function(FunctionVersion { function: r.function, unit: r.unit, version }))?;
        }
    }
    answer.packet(&Packet::End)
}

/// The program's threads that the runtime has met.
fn each_thread(state: &State, answer: &Answer<'_>) -> core::result::Result<(), Errno> {
    for record in threads::records().iter().filter(|record| record.is_used()) {
        let id = record.thread.load(Ordering::Relaxed);
        if !tasks::exists(id) {
            continue;
        }
        let blocker = transition::blocker(record, state.transition.as_ref());
        let inside = record.inside.load(Ordering::Relaxed);
        let inside = (blocker == Blocker::Inside).then(|| state.changed_function(inside)).flatten();
        let since = record.since_ns.load(Ordering::Relaxed);
        let name = tasks::name(id);
        answer.packet(&Packet::Thread(ThreadStatus {
            id,
            name: name.as_str(),
            generation: if state.transition.is_none() {
                state.history.generation
            } else {
                record.state.load().generation()
            },
            since_ns: if since == 0 { 0 } else { process::now_ns().wrapping_sub(since) },
            blocker,
            function: inside.map_or("", |function| function.function),
            unit: inside.map_or("", |function| function.unit),
            line: inside.map_or(0, |function| function.line),
        }))?;
    }
    Ok(())
}

fn changed(outcome: Result<Outcome>, answer: &Answer<'_>) -> core::result::Result<(), Errno> {
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(fail) => return answer.failure(&fail),
    };
    let generation = outcome.generation;
    answer.packet(&Packet::Done(Done {
        patch: outcome.new.map_or("", |image| image.name),
        checksum: outcome.new.map_or([0; 32], |image| image.checksum),
        generation,
        already: outcome.already,
        reused: outcome.reused,
        thread: outcome.thread,
        complete: outcome.complete,
        map_ns: outcome.map_ns,
        prepare_ns: outcome.prepare_ns,
        commit_ns: outcome.commit_ns,
    }))?;
    if !outcome.already {
        for r in outcome.update.to.iter().flatten().flat_map(|image| image.replacements) {
            let version = FunctionVersion { function: r.function, unit: r.unit, version: generation };
            answer.packet(&Packet::Function(version))?;
        }
        for r in outcome.returned() {
            answer.packet(&Packet::Function(FunctionVersion { function: r.function, unit: r.unit, version: 0 }))?;
        }
    }
    answer.packet(&Packet::End)
}
