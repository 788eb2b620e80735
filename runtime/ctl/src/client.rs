//! One request to a process, and its answer.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use dsu_abi::wire::{PACKET_MAX, Packet};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags,
    SocketType, sockopt,
};

use crate::error::Error;

/// An apply loads the patch, and may wait two seconds for a fork of the program.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How often somebody who waits longer looks around.
const MEANWHILE: Duration = Duration::from_millis(100);

/// The packets of an answer, as they came.
pub(crate) struct Answer(Vec<Vec<u8>>);

impl Answer {
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

/// Sends a request, with a file if it needs one, and collects the answer: that takes [`TIMEOUT`] at most, or as long as
/// `meanwhile` likes.
pub(crate) fn ask(
    socket: &OwnedFd,
    request: &Packet<'_>,
    file: Option<BorrowedFd<'_>>,
    mut meanwhile: Option<Meanwhile<'_>>,
) -> io::Result<Answer> {
    let mut buffer = [0; PACKET_MAX];
    let packet = io::IoSlice::new(request.encode(&mut buffer));
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let files = file.map_or(vec![], |file| vec![file]);
    if !files.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(&files));
    }
    rustix::net::sendmsg(socket, &[packet], &mut control, SendFlags::NOSIGNAL)?;
    if meanwhile.is_some() {
        sockopt::set_socket_timeout(socket, sockopt::Timeout::Recv, Some(MEANWHILE))?;
    }
    let mut answer = Vec::new();
    loop {
        let mut buffer = vec![0; PACKET_MAX];
        let received = rustix::net::recv(socket, buffer.as_mut_slice(), RecvFlags::empty());
        if let (Err(Errno::AGAIN), Some(meanwhile)) = (received, meanwhile.as_mut()) {
            if !meanwhile() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            continue;
        }
        let (_, len) = received?;
        if len == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the connection"));
        }
        buffer.truncate(len);
        let last = !matches!(Packet::parse(&buffer), Ok(packet) if !matches!(packet, Packet::End | Packet::Failure(_)));
        answer.push(buffer);
        if last {
            return Ok(Answer(answer));
        }
    }
}
