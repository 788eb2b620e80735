//! Unix sockets of packets, with file descriptors and credentials.

use core::ffi::CStr;

use super::{Errno, Fd, check, check_size};

fn new() -> Result<Fd, Errno> {
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: plain system call.
    check(unsafe { libc::socket(libc::AF_UNIX, kind, 0) }).map(Fd::new)
}

/// The address of a path, unless it is too long for one.
fn address(path: &CStr) -> Result<libc::sockaddr_un, Errno> {
    // SAFETY: `sockaddr_un` consists of integers, for which zero is a value.
    let mut address: libc::sockaddr_un = unsafe { core::mem::zeroed() };
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    let bytes = path.to_bytes_with_nul();
    if bytes.len() > address.sun_path.len() {
        return Err(Errno(libc::ENAMETOOLONG));
    }
    for (to, from) in address.sun_path.iter_mut().zip(bytes) {
        *to = *from as libc::c_char;
    }
    Ok(address)
}

const ADDRESS_SIZE: libc::socklen_t = size_of::<libc::sockaddr_un>() as libc::socklen_t;

/// A listening socket at `path`, mode 0600 from its first moment.
pub(crate) fn listen(path: &CStr) -> Result<Fd, Errno> {
    let (fd, address) = (new()?, address(path)?);
    // SAFETY: plain system calls on our descriptor; the address is a local of the size given. The mode set before
    // bind is the one Linux gives the file.
    unsafe {
        check(libc::fchmod(fd.number(), 0o600))?;
        check(libc::bind(fd.number(), (&raw const address).cast(), ADDRESS_SIZE))?;
        check(libc::listen(fd.number(), 16))?;
    }
    Ok(fd)
}

/// The process that listens at `path`.
pub(crate) fn owner(path: &CStr) -> Result<u32, Errno> {
    let (fd, address) = (new()?, address(path)?);
    // SAFETY: as in `listen`.
    check(unsafe { libc::connect(fd.number(), (&raw const address).cast(), ADDRESS_SIZE) })?;
    peer(&fd).map(|peer| peer.pid as u32)
}

/// Who is at the other end, as of `connect` or `listen`.
pub(crate) fn peer(fd: &Fd) -> Result<libc::ucred, Errno> {
    let mut peer = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
    let mut len = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: writes at most `len` bytes to the local.
    check(unsafe {
        libc::getsockopt(fd.number(), libc::SOL_SOCKET, libc::SO_PEERCRED, (&raw mut peer).cast(), &raw mut len)
    })?;
    Ok(peer)
}

/// The next waiting connection.
pub(crate) fn accept(listener: &Fd) -> Result<Fd, Errno> {
    let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: no address is asked for.
    check(unsafe { libc::accept4(listener.number(), core::ptr::null_mut(), core::ptr::null_mut(), flags) }).map(Fd::new)
}

/// Waits until one of `fds` (negative ones are ignored) is readable or broken; `ready` tells which.
pub(crate) fn wait<const N: usize>(fds: [i32; N], timeout_ms: i32) -> [bool; N] {
    let mut poll = fds.map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
    // SAFETY: reads and writes the N local structures.
    let count = unsafe { libc::poll(poll.as_mut_ptr(), N as libc::nfds_t, timeout_ms) };
    poll.map(|entry| count > 0 && entry.revents != 0)
}

/// Room for one control message with a descriptor, aligned as the kernel's header.
#[repr(C, align(8))]
struct Control([u8; 64]);

/// One packet, and the first two descriptors that came with it. An error if it is longer than `buffer`.
pub(crate) fn receive<'b>(fd: &Fd, buffer: &'b mut [u8]) -> Result<(&'b [u8], [Option<Fd>; 2]), Errno> {
    let mut control = Control([0; 64]);
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: `msghdr` consists of integers and pointers, for which zero is a value.
    let mut message: libc::msghdr = unsafe { core::mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = control.0.len();
    // SAFETY: the message points at locals of the lengths given.
    let received = unsafe { libc::recvmsg(fd.number(), &raw mut message, libc::MSG_CMSG_CLOEXEC) };
    let len = check_size(received)?;
    let sent = sent_descriptors(&message);
    if message.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0 {
        return Err(Errno(libc::EMSGSIZE));
    }
    Ok((buffer.get(..len).unwrap_or(&[]), sent))
}

/// The first two descriptors of a received message; more of them are closed.
fn sent_descriptors(message: &libc::msghdr) -> [Option<Fd>; 2] {
    let mut sent = [const { None }; 2];
    // SAFETY: the kernel filled the control buffer and set its length; the CMSG macros stay inside it, and each
    // header's length says how many descriptors follow. Each is new in our table and wrapped once.
    unsafe {
        let header = libc::CMSG_FIRSTHDR(message);
        if header.is_null() || (*header).cmsg_level != libc::SOL_SOCKET || (*header).cmsg_type != libc::SCM_RIGHTS {
            return sent;
        }
        let bytes = (*header).cmsg_len.saturating_sub(libc::CMSG_LEN(0) as usize);
        let numbers: *const i32 = libc::CMSG_DATA(header).cast();
        for at in 0..bytes / size_of::<i32>() {
            let fd = Fd::new(numbers.add(at).read_unaligned());
            if let Some(place) = sent.get_mut(at) {
                *place = Some(fd);
            }
        }
    }
    sent
}

/// Whether the other end has been closed.
pub(crate) fn has_gone(fd: i32) -> bool {
    let mut poll = libc::pollfd { fd, events: libc::POLLRDHUP, revents: 0 };
    // SAFETY: reads and writes one local structure.
    fd >= 0 && unsafe { libc::poll(&raw mut poll, 1, 0) } == 1
}

/// Sends one packet, waiting for room at most `timeout_ms`.
pub(crate) fn send(fd: &Fd, packet: &[u8], timeout_ms: i32) -> Result<(), Errno> {
    loop {
        // SAFETY: reads the packet. MSG_NOSIGNAL: a peer that has gone is an error, not a SIGPIPE.
        let sent = unsafe { libc::send(fd.number(), packet.as_ptr().cast(), packet.len(), libc::MSG_NOSIGNAL) };
        match check_size(sent) {
            Ok(_) => return Ok(()),
            Err(Errno(libc::EINTR)) => {}
            Err(Errno(libc::EAGAIN)) => {
                let mut room = libc::pollfd { fd: fd.number(), events: libc::POLLOUT, revents: 0 };
                // SAFETY: reads and writes one local structure.
                if unsafe { libc::poll(&raw mut room, 1, timeout_ms) } == 0 {
                    return Err(Errno(libc::ETIMEDOUT));
                }
            }
            Err(error) => return Err(error),
        }
    }
}
