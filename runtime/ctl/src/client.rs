//! One request to a process, and its answer.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use dsu_abi::wire::{Code, PACKET_MAX, Packet};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags,
    SocketType, sockopt,
};

use crate::error::Error;

/// An apply loads the patch, and may wait two seconds for a fork of the program.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);
/// Bytes of an answer: far more than the status of a program of 100,000 patched functions has.
const ANSWER_MAX: usize = 64 << 20;
/// How often to look whether the process can run at all.
const LOOK: Duration = Duration::from_millis(1000);
/// How often somebody who waits longer looks around.
const MEANWHILE: Duration = Duration::from_millis(100);

/// The packets of an answer, as they came.
pub(crate) struct Answer(Vec<Vec<u8>>);

impl Answer {
    /// Whether it is the refusal of one who may not ask.
    pub(crate) fn is_not_permitted(&self) -> bool {
        let refused =
            |packet: &Vec<u8>| matches!(Packet::parse(packet), Ok(Packet::Failure(f)) if f.code == Code::NotPermitted);
        self.0.first().is_some_and(refused)
    }

    /// The packets, read.
    pub(crate) fn packets(&self, pid: u32) -> Result<Vec<Packet<'_>>, Error> {
        self.0.iter().map(|p| Packet::parse(p).map_err(|cause| Error::BadAnswer { pid, cause })).collect()
    }
}

/// Connects to a socket; the first error tells whether anybody is there.
pub(crate) fn connect(path: &Path) -> io::Result<OwnedFd> {
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    for which in [sockopt::Timeout::Recv, sockopt::Timeout::Send] {
        sockopt::set_socket_timeout(&socket, which, Some(TIMEOUT))?;
    }
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

/// Whether the process closed the connection instead of answering.
pub(crate) fn is_lost(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    [BrokenPipe, ConnectionReset, UnexpectedEof].contains(&error.kind())
}

/// What somebody who may have to wait long does meanwhile, several times a second; false to wait no longer.
pub(crate) type Meanwhile<'m> = &'m mut dyn FnMut() -> bool;

/// How long to wait for an answer.
#[derive(Clone, Copy)]
pub(crate) struct Wait<'w> {
    /// At most so long.
    pub(crate) patience: Duration,
    /// Whether there is no point in it any more: the process cannot run.
    pub(crate) is_stopped: &'w dyn Fn() -> bool,
}

/// Sends a request with its files, and collects the answer: that takes its patience at most, or as long as
/// `meanwhile` likes.
pub(crate) fn ask(
    socket: &OwnedFd,
    request: &Packet<'_>,
    files: &[BorrowedFd<'_>],
    wait: Wait<'_>,
    mut meanwhile: Option<Meanwhile<'_>>,
) -> io::Result<Answer> {
    let mut buffer = [0; PACKET_MAX];
    let packet = io::IoSlice::new(request.encode(&mut buffer));
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !files.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(files));
    }
    rustix::net::sendmsg(socket, &[packet], &mut control, SendFlags::NOSIGNAL)?;
    if meanwhile.is_some() {
        sockopt::set_socket_timeout(socket, sockopt::Timeout::Recv, Some(MEANWHILE))?;
    }
    let mut answer = Vec::new();
    let begin = Instant::now();
    let mut bytes = 0;
    loop {
        let left = wait.patience.saturating_sub(begin.elapsed());
        if meanwhile.is_none() {
            if left.is_zero() || (wait.is_stopped)() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            sockopt::set_socket_timeout(socket, sockopt::Timeout::Recv, Some(left.min(LOOK)))?;
        }
        let mut buffer = vec![0; PACKET_MAX];
        let received = rustix::net::recv(socket, buffer.as_mut_slice(), RecvFlags::empty());
        if let (Err(Errno::AGAIN), Some(meanwhile)) = (received, meanwhile.as_mut()) {
            if !meanwhile() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            continue;
        }
        if meanwhile.is_none() && matches!(received, Err(Errno::AGAIN)) {
            continue;
        }
        let (_, len) = received?;
        if len == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the connection"));
        }
        buffer.truncate(len);
        bytes += len;
        if bytes > ANSWER_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its answer has no end"));
        }
        let last = !matches!(Packet::parse(&buffer), Ok(packet) if !matches!(packet, Packet::End | Packet::Failure(_)));
        answer.push(buffer);
        if last {
            return Ok(Answer(answer));
        }
    }
}
