//! Clients that are slow, rude or many.

use std::fs::File;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use dsu_abi::wire::{PACKET_MAX, Packet};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};

use crate::support::{Lab, Process};

fn connect(lab: &Lab, process: &Process) -> OwnedFd {
    lab.json(&["status", &process.pid_text()]);
    connect_again(lab, process)
}

fn connect_again(lab: &Lab, process: &Process) -> OwnedFd {
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
    let socket = socket.expect("sockets can be made");
    let path = lab.sockets().join(format!("{}.sock", process.pid));
    rustix::net::connect(&socket, &SocketAddrUnix::new(&path).expect("short")).expect("it listens");
    socket
}

fn send(socket: &OwnedFd, bytes: &[u8], files: &[&File]) {
    let files: Vec<_> = files.iter().map(|file| file.as_fd()).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !files.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(&files));
    }
    // An error is as good: the process has closed the connection.
    let _sent = rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL);
}

#[test]
fn a_hundred_silent_connections_are_in_nobodys_way() {
    let lab = Lab::new(&[]);
    let mut process = lab.start();
    let first = connect(&lab, &process);
    let silent: Vec<OwnedFd> = (0..100).map(|_| connect_again(&lab, &process)).collect();
    let begin = Instant::now();
    lab.json(&["status", &process.pid_text()]);
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    drop((first, silent));
    assert_eq!(process.say("call"), "1 1 1");
}

#[test]
fn nonsense_costs_only_its_sender() {
    let lab = Lab::new(&[]);
    let mut process = lab.start();
    let mut buffer = [0; PACKET_MAX];
    let apply = Packet::Apply.encode(&mut buffer).to_vec();
    let zero = File::open("/dev/zero").expect("there");
    let fifo = lab.dir.path().join("fifo");
    crate::support::run(std::process::Command::new("mkfifo").arg(&fifo));
    let fifo = File::options().read(true).write(true).open(&fifo).expect("ours");
    send(&connect(&lab, &process), &[0xff; 2 * PACKET_MAX], &[]);
    send(&connect(&lab, &process), b"", &[]);
    send(&connect(&lab, &process), b"GET / HTTP/1.1\r\n\r\n", &[]);
    for len in 1..apply.len() {
        send(&connect_again(&lab, &process), &apply[..len], &[]);
    }
    send(&connect(&lab, &process), &apply, &[]);
    send(&connect(&lab, &process), &apply, &[&zero]);
    send(&connect(&lab, &process), &apply, &[&fifo]);
    send(&connect(&lab, &process), &apply, &[&zero; 8]);
    let before = descriptors(&process);
    for _ in 0..50 {
        send(&connect_again(&lab, &process), &apply, &[&zero; 8]);
    }
    lab.json(&["status", &process.pid_text()]);
    assert!(descriptors(&process) <= before + 1, "descriptors sent along are closed");
    assert_eq!(process.say("call"), "1 1 1");
}

/// Open descriptors of the runtime's thread.
fn descriptors(process: &Process) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", process.pid)).expect("alive").flatten();
    let named =
        |task: &std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm")).is_ok_and(|n| n == "dsu\n");
    let mut own = tasks.filter(named);
    let task = own.next().expect("has a runtime");
    std::fs::read_dir(task.path().join("fd")).expect("readable").count()
}
