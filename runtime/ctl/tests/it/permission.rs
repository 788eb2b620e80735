//! Who may give orders: whoever the kernel would let attach a debugger, and nobody else; and an order that its sender was told
//! has failed never takes effect.

use std::fs::{self, File};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use dsu_abi::wire::{Code, ModuleStatus, PACKET_MAX, Packet};
use rustix::net::RecvFlags;
use rustix::process::{Pid, Signal, kill_process};

use crate::client::{APPLY, REVERT, connect, connect_again, send, send_only};
use crate::fake::Fake;
use crate::support::{Lab, Process, run};

/// A user with no rights.
const NOBODY: &str = "65534";

/// The code of a refusal.
fn refusal(socket: &OwnedFd) -> Code {
    let mut buffer = [0; PACKET_MAX];
    let (_, len) = rustix::net::recv(socket, &mut buffer[..], RecvFlags::empty()).expect("it answers");
    match Packet::parse(&buffer[..len]).expect("well-formed") {
        Packet::Failure(failure) => failure.code,
        other => panic!("not refused: {other:?}"),
    }
}

fn signal(process: &Process, signal: Signal) {
    let pid = Pid::from_raw(process.pid.cast_signed()).expect("not 0");
    kill_process(pid, signal).expect("alive");
    // A process that is told to stop goes on for a moment.
    let stat = format!("/proc/{}/stat", process.pid);
    let is_stopped = || fs::read_to_string(&stat).expect("alive").contains(") T ");
    while signal == Signal::STOP && !is_stopped() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Names of a process's threads.
fn threads(pid: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("alive").flatten();
    tasks.map(|task| fs::read_to_string(task.path().join("comm")).unwrap_or_default().trim_end().to_owned()).collect()
}

/// Whether tests may act as other users.
fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    assert!(root || std::env::var_os("DSU_TEST_ALLOW_SKIP").is_none_or(|value| value != "0"), "needs root");
    root
}

/// A copy of dsuctl and of the lab's program that any user can run.
fn for_everybody(lab: &Lab) -> PathBuf {
    let folder = lab.dir.path().join("public");
    fs::create_dir(&folder).expect("ours");
    fs::copy(env!("CARGO_BIN_EXE_dsuctl"), folder.join("dsuctl")).expect("just built");
    fs::copy(&lab.program, folder.join("base")).expect("just built");
    for path in [lab.dir.path(), &folder, &folder.join("dsuctl"), &folder.join("base")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("ours");
    }
    folder
}

/// dsuctl as another user.
fn dsuctl_as(user: &str, folder: &std::path::Path, lab: &Lab, arguments: &[&str]) -> Output {
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={user}"), &format!("--regid={user}"), "--clear-groups"]);
    command.arg(folder.join("dsuctl")).args(arguments).env("DSU_RUNTIME_DIR", lab.sockets());
    command.output().expect("util-linux has setpriv")
}

#[test]
fn only_who_can_open_its_memory_is_heard() {
    let lab = Lab::new(&[]);
    let mut process = lab.start();
    let socket = connect(&lab, &process);
    let mut buffer = [0; PACKET_MAX];
    let revert = REVERT.encode(&mut buffer).to_vec();
    let own = File::open("/proc/self/mem").expect("there");
    let zero = File::open("/dev/zero").expect("there");
    let file = File::open(&lab.program).expect("ours");
    let wrong: [&[BorrowedFd<'_>]; 4] = [&[], &[own.as_fd()], &[zero.as_fd(), own.as_fd()], &[file.as_fd()]];
    for files in wrong {
        let socket = connect_again(&lab, &process);
        send_only(&socket, &revert, files);
        assert_eq!(refusal(&socket), Code::NotPermitted, "{} files", files.len());
    }
    send(&socket, &revert, &[] as &[File]);
    assert_eq!(refusal(&socket), Code::NothingApplied, "who can is heard");
    assert_eq!(process.say("call"), "1 1 1");
}

#[test]
fn a_process_that_is_not_dumpable_obeys_root_only() {
    if !is_root() {
        return;
    }
    let lab = Lab::new(&["-DNOT_DUMPABLE"]);
    let folder = for_everybody(&lab);
    run(Command::new("chown").arg(NOBODY).arg(lab.sockets()));
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(folder.join("base"));
    let process = lab.start_with(&mut command);
    lab.json(&["status", &process.pid_text()]);
    let output = dsuctl_as(NOBODY, &folder, &lab, &["status", &process.pid_text()]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(12), "{said}");
    // The look-alike: the same user's dumpable process does.
    let plain = Lab::new(&[]);
    let folder = for_everybody(&plain);
    run(Command::new("chown").arg(NOBODY).arg(plain.sockets()));
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(folder.join("base"));
    let process = plain.start_with(&mut command);
    plain.json(&["status", &process.pid_text()]);
    let output = dsuctl_as(NOBODY, &folder, &plain, &["status", &process.pid_text()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_program_with_more_rights_than_its_caller_has_no_runtime() {
    if !is_root() {
        return;
    }
    for (bit, user) in [(0o4755, "65534:0"), (0o2755, "0:65534")] {
        let lab = Lab::new(&[]);
        let program = for_everybody(&lab).join("base");
        run(Command::new("chown").arg(user).arg(&program));
        fs::set_permissions(&program, fs::Permissions::from_mode(bit)).expect("ours");
        let mut process = lab.start_with(&mut Command::new(&program));
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(process.say("call"), "1 1 1");
        let names = threads(process.pid);
        assert!(!names.iter().any(|name| name.starts_with("dsu")), "{bit:o}: {names:?}");
        let left: Vec<_> = fs::read_dir(lab.sockets()).expect("ours").flatten().map(|e| e.path()).collect();
        assert!(left.is_empty(), "{bit:o}: {left:?}");
        assert_eq!(lab.refusal(&["status", &process.pid_text()]).0, 11);
    }
}

#[test]
fn a_stopped_process_is_told_at_once_and_nothing_follows_later() {
    let lab = Lab::new(&[]);
    let patch = lab.patch("fix", &[], |_| {});
    let patch = patch.to_str().expect("UTF-8");
    let mut process = lab.start();
    lab.json(&["status", &process.pid_text()]);
    signal(&process, Signal::STOP);
    let begin = Instant::now();
    let (code, said) = lab.refusal(&["apply", &process.pid_text(), patch]);
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    assert!(code == 14 && said.contains("stopped or frozen"), "{code}: {said}");
    signal(&process, Signal::CONT);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(process.say("call"), "1 1 1");
    lab.json(&["apply", &process.pid_text(), patch]);
    assert_ne!(process.say("call"), "1 1 1");
}

#[test]
fn an_order_whose_sender_gave_up_takes_no_effect() {
    let lab = Lab::new(&[]);
    let patch = lab.patch("fix", &[], |_| {});
    let mut process = lab.start();
    let mut buffer = [0; PACKET_MAX];
    let apply = APPLY.encode(&mut buffer).to_vec();
    for _ in 0..5 {
        let socket = connect(&lab, &process);
        signal(&process, Signal::STOP);
        send(&socket, &apply, &[&File::open(&patch).expect("just made")]);
        drop(socket);
        signal(&process, Signal::CONT);
        lab.json(&["status", &process.pid_text()]);
        assert_eq!(process.say("call"), "1 1 1");
    }
    assert_eq!(lab.json(&["status", &process.pid_text()])["generation"], 0);
}

#[test]
fn what_a_process_says_does_not_reach_the_terminal_raw() {
    let fake = Fake::new(|_, _| {
        vec![Packet::Module(ModuleStatus {
            path: "\u{1b}[2J\u{1b}]52;c;cm0=\u{7}evil",
            build_id: &[0x61; 20],
            dispatch: 1,
            functions: 1,
            points: 1,
            skipped: 0,
        })]
    });
    for words in ["status PID", "ps", "status PID --json"] {
        let (code, stdout, stderr) = fake.run(words);
        assert_eq!(code, 0, "{words}: {stderr}");
        assert!(!stdout.contains(['\u{1b}', '\u{7}']) && !stderr.contains('\u{1b}'), "{words}: {stdout:?} {stderr:?}");
    }
}
