//! A process and its children as a group.

use std::process::Command;

use crate::support::{Lab, Process};
use crate::survive::root_or_skip;

/// A base program that has forked: the child answers; the parent's number, then the child's.
fn family(lab: &Lab, command: &mut Command) -> (Process, [String; 2]) {
    let mut process = lab.start_with(command);
    let parent = process.pid_text();
    process.pid = process.say("fork").parse().expect("the child says its number");
    let child = process.pid_text();
    (process, [parent, child])
}

#[test]
fn parent_and_child_are_updated_shown_and_reverted_together() {
    let lab = Lab::new(&[]);
    let patch = lab.patch("fix", &[], |_| {});
    let (mut process, [parent, child]) = family(&lab, &mut Command::new(&lab.program));
    let applied = lab.json(&["apply", "--tree", &parent, patch.to_str().expect("UTF-8")]);
    let pids: Vec<_> = applied["processes"].as_array().expect("a list").iter().map(|p| p["pid"].to_string()).collect();
    assert_eq!((pids, process.say("call")), (vec![parent.clone(), child.clone()], "102 9 3".into()));

    let status = lab.json(&["status", "--tree", &parent]);
    assert!(status.as_array().expect("a list").iter().all(|p| p["generation"] == 1), "{status}");
    let listed = String::from_utf8(lab.dsuctl(&["ps", "--tree"]).stdout).expect("UTF-8");
    let row =
        |pid: &str| listed.lines().find(|line| line.starts_with(pid)).unwrap_or_else(|| panic!("{pid}: {listed}"));
    assert!(row(&parent).contains("  base ") && row(&child).contains("    base "), "{listed}");

    let again = String::from_utf8(lab.dsuctl(&["apply", "--tree", &parent, patch.to_str().expect("UTF-8")]).stdout);
    assert_eq!(again.expect("UTF-8").matches("already applied fix").count(), 2);
    lab.json(&["revert", &parent]);
    let reverted = lab.json(&["revert", "--tree", &parent]);
    assert_eq!(reverted["processes"].as_array().map(Vec::len), Some(1), "the parent had nothing left: {reverted}");
    assert_eq!(process.say("call"), "1 1 1");
    assert_eq!(lab.refusal(&["revert", "--tree", &parent]).0, 3);
}

#[test]
fn a_tree_with_another_build_in_it_is_left_alone() {
    let lab = Lab::new(&[]);
    let other = Lab::new(&["-DDISPATCH=1"]);
    let patch = lab.patch("fix", &[], |_| {});
    let (mut process, [parent, child]) = family(&lab, Command::new(&lab.program).env("OTHER", &other.program));
    assert_eq!(process.say("exec"), child, "exec keeps the number");
    let (code, said) = lab.refusal(&["apply", "--tree", &parent, patch.to_str().expect("UTF-8")]);
    assert_eq!(code, 24, "{said}");
    assert!(said.contains(&format!("process `{child}`")) && said.contains("no process was changed"), "{said}");
    assert_eq!(lab.json(&["status", &parent])["generation"], 0);
}

#[test]
fn when_one_process_refuses_the_others_are_taken_back() {
    if !root_or_skip() {
        return;
    }
    let lab = Lab::new(&[]);
    let patch = lab.patch("fix", &[], |_| {});
    let (mut process, [parent, child]) = family(&lab, &mut Command::new(&lab.program));
    lab.json(&["status", &child]);
    assert_eq!(process.say("chroot"), "0");
    let (code, said) = lab.refusal(&["apply", "--tree", &parent, patch.to_str().expect("UTF-8")]);
    assert_eq!(code, 33, "{said}");
    assert!(said.contains(&format!("taken back in process {parent}")), "{said}");
    assert_eq!(lab.json(&["status", &parent])["modules"][0]["redirected"], serde_json::json!([]));
    assert_eq!(process.say("call"), "1 1 1");
}

#[test]
fn children_that_come_and_go_meanwhile_do_not_disturb() {
    let lab = Lab::new(&[]);
    let patch = lab.patch("fix", &[], |_| {});
    let mut process = lab.start();
    let pid = process.pid_text();
    lab.json(&["status", &pid]);
    process.send("forks");
    for _ in 0..5 {
        lab.json(&["apply", "--tree", &pid, patch.to_str().expect("UTF-8")]);
        lab.json(&["revert", "--tree", &pid]);
    }
    assert_eq!(process.hear(), "bad 0");
    assert_eq!(process.say("call"), "1 1 1");
}

#[test]
fn a_tree_without_a_runtime_says_so() {
    let lab = Lab::new(&[]);
    let patch = lab.patch("fix", &[], |_| {});
    let mut idle = Command::new("sleep").arg("100").spawn().expect("there");
    let pid = idle.id().to_string();
    assert_eq!(lab.refusal(&["apply", "--tree", &pid, patch.to_str().expect("UTF-8")]).0, 11);
    idle.kill().and_then(|()| idle.wait()).expect("our child");
    assert_eq!(lab.refusal(&["status", "--tree", &pid]).0, 10);
}
