//! What programs do to themselves: fork, become a daemon, close everything, drop privileges.

use std::fs;
use std::process::Command;

use crate::client::{change, connect, connect_again};
use crate::support::{Lab, Process, programs, run};

pub(crate) fn root_or_skip() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        assert_ne!(std::env::var("DSU_TEST_ALLOW_SKIP").as_deref(), Ok("0"), "needs root");
        eprintln!("skipped: needs root");
    }
    root
}

/// Applies and reverts, watching the answers.
fn round(lab: &Lab, process: &mut Process) {
    let patch = lab.patch("fix", &[], |_| {});
    let pid = process.pid_text();
    lab.json(&["apply", &pid, patch.to_str().expect("UTF-8")]);
    assert_eq!(process.say("call"), "102 9 3");
    lab.json(&["revert", &pid]);
    assert_eq!(process.say("call"), "1 1 1");
}

#[test]
fn a_daemon_is_updated_as_any_other_process() {
    let lab = Lab::new(&[]);
    let mut process = lab.start_with(Command::new(&lab.program).arg("daemon"));
    round(&lab, &mut process);
    let left: Vec<_> = fs::read_dir(lab.sockets()).expect("ours").flatten().map(|e| e.file_name()).collect();
    assert_eq!(left, [format!("{}.sock", process.pid).as_str()], "the first half of the daemon left something");
}

#[test]
fn a_child_inherits_the_patch_and_reports_it() {
    let lab = Lab::new(&[]);
    let patch = lab.patch("fix", &[], |_| {});
    let mut process = lab.start();
    lab.json(&["apply", &process.pid_text(), patch.to_str().expect("UTF-8")]);
    let parent = process.pid_text();
    process.pid = process.say("fork").parse().expect("the child says its number");
    let child = process.pid_text();
    assert_ne!(parent, child);
    let status = lab.json(&["status", &child]);
    assert_eq!((&status["generation"], &status["modules"][0]["patches"][0]["name"]), (&1.into(), &"fix".into()));
    lab.json(&["revert", &child]);
    assert_eq!(process.say("call"), "1 1 1");
    assert_eq!(lab.json(&["status", &parent])["modules"][0]["patches"][0]["name"], "fix", "the parent keeps it");
    let again = lab.json(&["apply", &child, patch.to_str().expect("UTF-8")]);
    assert_eq!((again["reused"].as_bool(), process.say("call")), (Some(true), "102 9 3".into()));
    assert_eq!(process.end(), Some(0));
    assert!(!lab.sockets().join(format!("{child}.sock")).exists(), "the child removes its own socket");
}

#[test]
fn children_forked_during_updates_are_updated_wholly_or_not_at_all() {
    let lab = Lab::new(&[]);
    let patch = fs::File::open(lab.patch("fix", &[], |_| {})).expect("just written");
    let mut process = lab.start();
    connect(&lab, &process);
    process.send("forks");
    for _ in 0..500 {
        change(&connect_again(&lab, &process), Some(&patch));
        change(&connect_again(&lab, &process), None);
    }
    assert_eq!(process.hear(), "bad 0");
}

#[test]
fn closing_every_descriptor_does_not_disturb_the_runtime() {
    let lab = Lab::new(&[]);
    let mut process = lab.start();
    lab.json(&["status", &process.pid_text()]);
    assert_eq!(process.say("closefrom"), "3", "the program's descriptors are its own: the next free one is 3");
    round(&lab, &mut process);
}

#[test]
fn without_a_file_table_of_its_own_the_runtime_makes_its_socket_anew() {
    let lab = Lab::new(&[]);
    let deny = lab.dir.path().join("deny");
    run(Command::new("clang-19").arg(programs().join("deny.c")).arg("-o").arg(&deny));
    let mut process = lab.start_with(Command::new(deny).arg(&lab.program));
    lab.json(&["status", &process.pid_text()]);
    let high = fs::exists(format!("/proc/{}/fd/900", process.pid)).expect("readable");
    assert!(high, "descriptors are out of the program's way");
    assert_eq!(process.say("closefrom"), "3");
    round(&lab, &mut process);
}

#[test]
fn a_process_that_dropped_its_privileges_is_updated_by_root() {
    if !root_or_skip() {
        return;
    }
    let lab = Lab::new(&[]);
    let mut process = lab.start();
    lab.json(&["status", &process.pid_text()]);
    assert_eq!(process.say("setuid"), "0");
    round(&lab, &mut process);
}

#[test]
fn a_daemon_that_forks_after_dropping_its_privileges_is_found() {
    if !root_or_skip() {
        return;
    }
    let lab = Lab::new(&[]);
    let mut process = lab.start();
    assert_eq!(process.say("setuid"), "0");
    process.pid = process.say("fork").parse().expect("the child says its number");
    round(&lab, &mut process);
    let socket = format!("/tmp/dsu-65534/{}.sock", process.pid);
    assert!(fs::exists(&socket).expect("root may look"), "the lab's sockets belong to root");
    assert_eq!(process.end(), Some(0));
    assert!(!fs::exists(&socket).expect("root may look"), "removed at exit");
}

#[test]
fn a_process_without_proc_in_its_root_keeps_running_and_says_why_not() {
    if !root_or_skip() {
        return;
    }
    let lab = Lab::new(&[]);
    let patch = lab.patch("fix", &[], |_| {});
    let mut process = lab.start();
    lab.json(&["status", &process.pid_text()]);
    assert_eq!(process.say("chroot"), "0");
    let (code, said) = lab.refusal(&["apply", &process.pid_text(), patch.to_str().expect("UTF-8")]);
    assert_eq!(code, 33, "{said}");
    assert!(said.contains("/proc"), "{said}");
    assert_eq!(process.say("call"), "1 1 1");
}
