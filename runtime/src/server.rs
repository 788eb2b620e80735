//! The socket: waits for requests, answers them one by one. A client that is slow, silent or rude costs itself its
//! connection, and nobody else anything.

use dsu_abi::wire::{Applied, Code, Done, Module, PACKET_MAX, Packet, Process, Redirect};

use crate::fail::{Fail, Result};
use crate::generation;
use crate::phase::{self, Phase};
use crate::place::{self, Path, Start};
use crate::start::remember_socket;
use crate::state::{Outcome, STATE, State, modules};
use crate::sys::turn::Turn;
use crate::sys::{Errno, Fd, process, socket};

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
pub(crate) fn run(start: &Start, mut turn: Turn) -> End {
    let mut failures = 0;
    while failures < 5 {
        let Some(directory) = place::directory(start) else { return End::NoSocket };
        match bind(&directory) {
            Bound::Listening(listener) => {
                failures = 0;
                serve(&listener, &mut turn);
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
            remember_socket(&path);
            Bound::Listening(listener)
        }
        Err(_) => Bound::Failed,
    }
}

/// Until the listening socket is lost.
fn serve(listener: &Listener, turn: &mut Turn) {
    let mut waiting: [Option<Fd>; WAITING] = [const { None }; WAITING];
    let mut next = 0;
    while listener.is_ours() {
        let mut fds = [-1; WAITING + 1];
        for (place, fd) in fds.iter_mut().skip(1).zip(&waiting) {
            *place = fd.as_ref().map_or(-1, Fd::number);
        }
        let [first, ..] = &mut fds;
        *first = listener.fd.number();
        let ready = socket::wait(fds, LOOK_MS);
        for (place, ready) in waiting.iter_mut().zip(ready.iter().skip(1)) {
            if *ready && let Some(connection) = place.take() {
                request(&connection, turn);
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

/// Whether the other end is root or the process's own user.
fn is_permitted(connection: &Fd) -> bool {
    let (real, effective) = process::users();
    socket::peer(connection).is_ok_and(|peer| [0, real, effective].contains(&peer.uid))
}

/// Where an answer goes. An error means that the client is gone or does not read.
struct Answer<'c>(&'c Fd);

impl Answer<'_> {
    fn packet(&self, packet: &Packet<'_>) -> core::result::Result<(), Errno> {
        let mut buffer = [0; PACKET_MAX];
        socket::send(self.0, packet.encode(&mut buffer), SEND_TIMEOUT_MS)
    }

    fn failure(&self, fail: &Fail) -> core::result::Result<(), Errno> {
        self.packet(&Packet::Failure(fail.as_packet()))
    }
}

/// Reads one request and answers it.
fn request(connection: &Fd, turn: &mut Turn) {
    let mut buffer = [0; PACKET_MAX];
    let Ok((packet, file)) = socket::receive(connection, &mut buffer) else { return };
    if packet.is_empty() {
        return; // Closed by the client.
    }
    let answer = Answer(connection);
    let state = STATE.get(turn);
    let refused = |fail| answer.failure(&fail);
    // An error of the answer is the client's loss.
    let _sent = if !is_permitted(connection) {
        refused(Fail::new(Code::NotPermitted, "", ""))
    } else if phase::lost() {
        refused(Fail::new(Code::ForkedInUpdate, "", ""))
    } else if !phase::enter(Phase::Loading) {
        refused(Fail::new(Code::OutOfResources, "the program forks all the time", ""))
    } else {
        match (Packet::parse(packet), file) {
            (Ok(Packet::Status), _) => status(state, &answer),
            (Ok(Packet::Apply(_)), Some(file)) => changed(state.apply(&file), state.generation, &answer),
            (Ok(Packet::Revert(_)), _) => changed(state.revert(), state.generation, &answer),
            (Ok(_), _) => refused(Fail::new(Code::BadRequest, "", "message of an unexpected kind")),
            (Err(error), _) => refused(Fail::new(Code::BadRequest, "", error.0)),
        }
    };
    phase::leave();
}

fn status(state: &State, answer: &Answer<'_>) -> core::result::Result<(), Errno> {
    let modules = modules();
    phase::leave(); // The dynamic linker is done with; only a copy is read from here on.
    let process = Process {
        pid: process::pid(),
        generation: state.generation,
        reached: generation::reached(state.generation),
        images: state.images().count() as u32,
        reclaimed: 0,
        code: 0,
        data: 0,
    };
    answer.packet(&Packet::Process(process))?;
    for module in modules?.as_slice() {
        answer.packet(&Packet::Module(Module {
            path: module.path.as_str(),
            build_id: module.build_id(),
            dispatch: module.dispatch,
            functions: module.functions,
            points: module.points,
            skipped: module.skipped,
        }))?;
        let Some(active) = state.active_on(module) else { continue };
        let (name, checksum) = (active.image.name, active.image.checksum);
        answer.packet(&Packet::Applied(Applied { name, checksum, generation: active.generation, depth: 0 }))?;
        for r in active.image.redirects {
            let version = active.generation;
            answer.packet(&Packet::Redirect(Redirect { function: r.function, unit: r.unit, version }))?;
        }
    }
    answer.packet(&Packet::End)
}

fn changed(outcome: Result<Outcome>, generation: u32, answer: &Answer<'_>) -> core::result::Result<(), Errno> {
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(fail) => return answer.failure(&fail),
    };
    answer.packet(&Packet::Done(Done {
        patch: outcome.new.map_or("", |image| image.name),
        checksum: outcome.new.map_or([0; 32], |image| image.checksum),
        generation,
        already: outcome.already,
        reused: outcome.reused,
        thread: false,
        complete: true,
        queued: false,
        map_ns: outcome.map_ns,
        prepare_ns: outcome.prepare_ns,
        commit_ns: outcome.commit_ns,
    }))?;
    if !outcome.already {
        for r in outcome.new.map_or(&[][..], |image| image.redirects) {
            let redirect = Redirect { function: r.function, unit: r.unit, version: generation };
            answer.packet(&Packet::Redirect(redirect))?;
        }
        for r in outcome.returned() {
            answer.packet(&Packet::Redirect(Redirect { function: r.function, unit: r.unit, version: 0 }))?;
        }
    }
    answer.packet(&Packet::End)
}
