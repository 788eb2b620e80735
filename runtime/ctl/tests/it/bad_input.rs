//! Each kind of bad input: one line that names the thing, an exit code of its own, the process unharmed.

use std::fs;
use std::path::Path;
use std::process::Command;

use dsu_abi::patch::{Consistency, SECTION};

use crate::support::{Lab, Process, seal};

/// Applies, and expects a refusal that mentions `words`; the process must answer as before.
fn refuse(lab: &Lab, process: &mut Process, patch: &Path, code: i32, words: &[&str]) {
    let (found, said) = lab.refusal(&["apply", &process.pid_text(), patch.to_str().expect("UTF-8")]);
    assert_eq!(found, code, "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is missing: {said}");
    }
    assert_eq!(process.say("call"), "1 1 1");
    let status = lab.json(&["status", &process.pid_text()]);
    assert_eq!((&status["generation"], &status["modules"][0]["patches"]), (&0.into(), &serde_json::json!([])));
    let maps = fs::read_to_string(format!("/proc/{}/maps", process.pid)).expect("readable");
    assert!(!maps.contains("/memfd:"), "a refused patch stays loaded: {maps}");
}

#[test]
fn files_that_are_no_sound_patch_are_refused() {
    let lab = Lab::new(&[]);
    let good = lab.patch("good", &[], |_| {});
    let mut process = lab.start();
    let bytes = fs::read(&good).expect("just written");
    let file = lab.dir.path().join("bad.dsu");
    for len in [0, 3, 63, 64, 1000, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&file, &bytes[..len]).expect("ours");
        refuse(&lab, &mut process, &file, 21, &["bad.dsu"]);
    }
    for at in (100..bytes.len()).step_by(bytes.len() / 20) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        fs::write(&file, flipped).expect("ours");
        refuse(&lab, &mut process, &file, 21, &["bad.dsu"]);
    }
    refuse(&lab, &mut process, Path::new("/nonexistent/x.dsu"), 20, &["/nonexistent/x.dsu", "No such file"]);
    refuse(&lab, &mut process, lab.dir.path(), 20, &["directory"]);
    refuse(&lab, &mut process, &lab.program, 21, &["patchgen build"]);
}

#[test]
fn other_machines_and_versions_are_named() {
    let lab = Lab::new(&[]);
    let mut process = lab.start();
    let machine = lab.patch("machine", &[], |tables| tables.machine = 183);
    refuse(&lab, &mut process, &machine, 22, &["machine.dsu", "x86-64"]);
    let version = lab.patch("version", &[], |_| {});
    let mut bytes = fs::read(&version).expect("just written");
    bytes[18] = 183;
    let arm = lab.dir.path().join("arm.dsu");
    fs::write(&arm, &bytes).expect("ours");
    refuse(&lab, &mut process, &arm, 22, &["arm.dsu", "x86-64"]);
    bytes[18] = 62;
    let elf = dsu_abi::elf::parse(&bytes).expect("just written");
    let at = elf.section(SECTION).expect("readable").expect("there").offset as usize + 8;
    bytes[at] = 77;
    fs::write(&version, bytes).expect("ours");
    seal(&version);
    refuse(&lab, &mut process, &version, 23, &["version.dsu", "unknown format version"]);
}

#[test]
fn what_does_not_fit_the_base_is_refused() {
    let lab = Lab::new(&[]);
    let mut process = lab.start();
    let patch = lab.patch("build", &[], |tables| tables.build_id[0] ^= 1);
    refuse(&lab, &mut process, &patch, 24, &["build", "dsuctl status"]);
    let patch = lab.patch("id", &[], |tables| tables.functions[0].id += 1);
    refuse(&lab, &mut process, &patch, 25, &["`first`", "another function"]);
    let patch = lab.patch("slot", &[], |tables| tables.functions[1].slot += 8);
    refuse(&lab, &mut process, &patch, 25, &["`second`", "another slot"]);
    let patch = lab.patch("entry", &[], |tables| tables.functions[2].entry += 1);
    refuse(&lab, &mut process, &patch, 25, &["`third`", "no stub"]);
    let patch = lab.patch("bytes", &[], |tables| tables.functions[0].entry_bytes = [0x55, 0x90]);
    refuse(&lab, &mut process, &patch, 25, &["`first`", "first bytes"]);
    for wild in [0, 8, 0x7fff_ffff_f000, u64::MAX - 3] {
        let patch = lab.patch("wild", &[], |tables| tables.functions[0].entry = wild);
        refuse(&lab, &mut process, &patch, 25, &["`first`"]);
        let patch = lab.patch("wild", &[], |tables| tables.functions[0].slot = wild);
        refuse(&lab, &mut process, &patch, 25, &["`first`"]);
    }
    let patch = lab.patch("far", &[], |tables| tables.counter = 1 << 40);
    refuse(&lab, &mut process, &patch, 32, &["`counter`", "outside the base"]);
    let patch = lab.patch("thread", &[], |tables| tables.consistency = Consistency::Thread);
    refuse(&lab, &mut process, &patch, 35, &["`first`", "--consistency newest"]);
    let patch = lab.patch("symbol", &["-DUNRESOLVED"], |_| {});
    refuse(&lab, &mut process, &patch, 26, &["nobody_has_this"]);
}

#[test]
fn processes_that_cannot_be_updated_are_told_apart() {
    let lab = Lab::new(&[]);
    let patch = lab.patch("fix", &[], |_| {});
    let patch = patch.to_str().expect("UTF-8");
    assert_eq!(lab.refusal(&["apply", "4194304", patch]).0, 10);
    let (own, init) = (std::process::id().to_string(), "1".to_owned());
    let all = if rustix::process::geteuid().is_root() { vec![own, init] } else { vec![own] };
    for pid in all {
        let (code, said) = lab.refusal(&["status", &pid]);
        assert_eq!(code, 11, "{said}");
        assert!(said.contains("dsu-cc"), "{said}");
    }
    assert_eq!(lab.dsuctl(&["apply", "x"]).status.code(), Some(2));
}

#[test]
fn a_socket_directory_that_cannot_be_used_is_named_and_harms_nobody() {
    let lab = Lab::new(&[]);
    let missing = lab.dir.path().join("no/such/directory");
    let mut command = Command::new(&lab.program);
    let mut process = Process::start(command.env("DSU_RUNTIME_DIR", &missing));
    let (code, said) = lab.refusal(&["status", &process.pid_text()]);
    assert_eq!(code, 13, "{said}");
    assert!(said.contains("no/such/directory") && said.contains("DSU_RUNTIME_DIR"), "{said}");
    assert_eq!(process.say("call"), "1 1 1");
}

#[test]
fn a_runtime_that_was_turned_off_is_told_from_none() {
    let lab = Lab::new(&[]);
    let mut command = Command::new(&lab.program);
    let mut process = Process::start(command.env("DSU_RUNTIME_DIR", ""));
    let (code, said) = lab.refusal(&["status", &process.pid_text()]);
    assert_eq!(code, 13, "{said}");
    assert!(said.contains("turns the runtime off"), "{said}");
    assert_eq!(process.say("call"), "1 1 1");
}

#[test]
fn text_that_may_not_be_written_is_refused_and_dispatch_always_does_without() {
    let lab = Lab::new(&[]);
    let mut process = lab.start();
    if process.say("mdwe") != "0" {
        assert_ne!(std::env::var("DSU_TEST_ALLOW_SKIP").as_deref(), Ok("0"), "this kernel has no PR_SET_MDWE");
        eprintln!("skipped: this kernel has no PR_SET_MDWE");
        return;
    }
    let armed = lab.patch("armed", &[], |_| {});
    refuse(&lab, &mut process, &armed, 27, &["--dsu-dispatch=always"]);
    let always = lab.patch("always", &[], |tables| tables.functions.retain(|f| f.name == "third"));
    lab.json(&["apply", &process.pid_text(), always.to_str().expect("UTF-8")]);
    assert_eq!(process.say("call"), "1 1 3");
    lab.json(&["revert", &process.pid_text()]);
    assert_eq!(process.say("call"), "1 1 1");
}

#[test]
fn a_foreign_user_is_kept_out() {
    if !rustix::process::geteuid().is_root() {
        assert_ne!(std::env::var("DSU_TEST_ALLOW_SKIP").as_deref(), Ok("0"), "needs root to become another user");
        eprintln!("skipped: needs root to become another user");
        return;
    }
    let lab = Lab::new(&[]);
    let process = lab.start();
    lab.json(&["status", &process.pid_text()]);
    // Even when file permissions let it in, the peer's credentials do not.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(lab.sockets().join(format!("{}.sock", process.pid)), open).expect("ours");
    let directories = [lab.dir.path().to_owned(), lab.sockets()];
    for directory in directories {
        fs::set_permissions(directory, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("ours");
    }
    let dsuctl = lab.dir.path().join("dsuctl");
    fs::copy(env!("CARGO_BIN_EXE_dsuctl"), &dsuctl).expect("ours");
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(dsuctl);
    let output = command.args(["status", &process.pid_text()]).env("DSU_RUNTIME_DIR", lab.sockets()).output();
    let output = output.expect("util-linux has setpriv");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(12), "{said}");
    assert!(said.contains("another user"), "{said}");
}
