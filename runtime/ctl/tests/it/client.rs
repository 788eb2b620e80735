//! The socket without `dsuctl`: for what dsuctl would never send, and for many requests in little time.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use dsu_abi::wire::{Apply, ConsistencyOverride, Done, PACKET_MAX, Packet, Revert};
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags,
    SocketType, sockopt,
};

use crate::support::{Lab, Process};

/// Apply as the patch says.
pub(crate) const APPLY: Packet<'static> =
    Packet::Apply(Apply { consistency: ConsistencyOverride::None, timeout_ms: 0, queue: false });
/// Back to the base.
pub(crate) const REVERT: Packet<'static> = Packet::Revert(Revert { to_base: true, timeout_ms: 0 });

/// Connects, waiting for the socket to be there.
pub(crate) fn connect(lab: &Lab, process: &Process) -> OwnedFd {
    lab.json(&["status", &process.pid_text()]);
    connect_again(lab, process)
}

/// Connects to a socket that was there before.
pub(crate) fn connect_again(lab: &Lab, process: &Process) -> OwnedFd {
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
    let socket = socket.expect("sockets can be made");
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(Duration::from_secs(20))).expect("ours");
    let path = lab.sockets().join(format!("{}.sock", process.pid));
    rustix::net::connect(&socket, &SocketAddrUnix::new(&path).expect("short")).expect("it listens");
    socket
}

/// Sends a packet and files with it, behind the one that shows our right to. An error is as good: the process has closed the
/// connection.
pub(crate) fn send(socket: &OwnedFd, bytes: &[u8], files: &[impl AsFd]) {
    let peer = sockopt::socket_peercred(socket).expect("a Unix socket").pid.as_raw_nonzero();
    let memory = std::fs::File::open(format!("/proc/{peer}/mem")).ok();
    let files: Vec<_> = memory.iter().map(AsFd::as_fd).chain(files.iter().map(AsFd::as_fd)).collect();
    send_only(socket, bytes, &files);
}

/// The same without showing any right.
pub(crate) fn send_only(socket: &OwnedFd, bytes: &[u8], files: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(9))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !files.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(files));
    }
    let _sent = rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL);
}

/// An apply (with a file) or revert that must succeed: nanoseconds to prepare and to commit.
pub(crate) fn change(socket: &OwnedFd, patch: Option<&std::fs::File>) -> [u64; 2] {
    let mut buffer = [0; PACKET_MAX];
    let request = if patch.is_some() { APPLY } else { REVERT };
    send(socket, request.encode(&mut buffer), &patch.into_iter().collect::<Vec<_>>());
    let mut times = None;
    loop {
        let mut buffer = [0; PACKET_MAX];
        let (_, len) = rustix::net::recv(socket, &mut buffer[..], RecvFlags::empty()).expect("it answers");
        match Packet::parse(&buffer[..len]).expect("well-formed") {
            Packet::Done(Done { prepare_ns, commit_ns, .. }) => times = Some([prepare_ns, commit_ns]),
            Packet::End => return times.expect("told before the end"),
            Packet::Function(_) => {}
            other => panic!("{other:?}"),
        }
    }
}
