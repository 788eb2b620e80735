//! Clients that are slow, rude or many.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use dsu_abi::wire::PACKET_MAX;

use crate::client::{APPLY, connect, connect_again, send};
use crate::support::{Lab, Process};

const NO_FILE: &[File] = &[];

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
    let apply = APPLY.encode(&mut buffer).to_vec();
    let zero = File::open("/dev/zero").expect("there");
    let fifo = lab.dir.path().join("fifo");
    crate::support::run(std::process::Command::new("mkfifo").arg(&fifo));
    let fifo = File::options().read(true).write(true).open(&fifo).expect("ours");
    send(&connect(&lab, &process), &[0xff; 2 * PACKET_MAX], NO_FILE);
    send(&connect(&lab, &process), b"", NO_FILE);
    send(&connect(&lab, &process), b"GET / HTTP/1.1\r\n\r\n", NO_FILE);
    for len in 1..apply.len() {
        send(&connect_again(&lab, &process), &apply[..len], NO_FILE);
    }
    send(&connect(&lab, &process), &apply, NO_FILE);
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
