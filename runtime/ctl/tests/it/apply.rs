//! Apply, status, revert.

use crate::support::Lab;

#[test]
fn a_patch_is_applied_shown_and_reverted() {
    let lab = Lab::new(&[]);
    let patch = lab.patch("fix", &[], |_| {});
    let patch = patch.to_str().expect("UTF-8");
    let mut process = lab.start();
    let pid = process.pid_text();
    assert_eq!(process.say("call"), "1 1 1");

    let applied = lab.json(&["apply", &pid, patch]);
    assert_eq!((applied["patch"].as_str(), applied["generation"].as_u64()), (Some("fix"), Some(1)));
    assert_eq!(process.say("call"), "102 9 3");

    let status = lab.json(&["status", &pid]);
    let module = &status["modules"][0];
    assert_eq!(module["patches"][0]["name"], "fix");
    assert_eq!(module["redirected"].as_array().map(Vec::len), Some(3));
    assert_eq!(module["redirected"][1]["function"], "second");

    let again = lab.dsuctl(&["apply", &pid, patch]);
    assert!(String::from_utf8_lossy(&again.stdout).starts_with("already applied"), "{again:?}");

    let reverted = lab.json(&["revert", &pid]);
    assert_eq!(reverted["functions"].as_array().map(Vec::len), Some(3));
    assert_eq!(process.say("call"), "1 1 1");
    assert_eq!(lab.refusal(&["revert", &pid]).0, 3);
    assert_eq!(process.end(), Some(0));
}

#[test]
fn another_patch_replaces_the_first_in_one_switch() {
    let lab = Lab::new(&[]);
    let whole = lab.patch("whole", &[], |_| {});
    let part = lab.patch("part", &[], |tables| tables.functions.retain(|f| f.name == "second"));
    let mut process = lab.start();
    let pid = process.pid_text();
    lab.json(&["apply", &pid, whole.to_str().expect("UTF-8")]);
    let second = lab.json(&["apply", &pid, part.to_str().expect("UTF-8")]);
    assert_eq!(process.say("call"), "1 9 1");
    let versions = second["functions"].as_array().expect("a list").iter();
    let versions: Vec<_> = versions.map(|f| (f["function"].as_str(), f["version"].as_u64())).collect();
    assert_eq!(versions, [(Some("second"), Some(2)), (Some("first"), Some(0)), (Some("third"), Some(0))]);
    let status = lab.json(&["status", &pid]);
    let patches = status["modules"][0]["patches"].as_array().expect("a list").iter();
    assert!(patches.map(|p| (&p["name"], &p["depth"])).eq([(&"part".into(), &0.into()), (&"whole".into(), &1.into())]));
    assert_eq!(status["modules"][0]["redirected"].as_array().map(Vec::len), Some(1));
    let back = lab.json(&["apply", &pid, whole.to_str().expect("UTF-8")]);
    assert_eq!((back["reused"].as_bool(), process.say("call")), (Some(true), "102 9 3".into()));
}

#[test]
fn a_hook_is_asked_again_when_its_code_was_taken_away() {
    let lab = Lab::new(&[]);
    let [hooked, other] =
        ["hooked", "other"].map(|name| lab.patch(name, &["-DTRAMPOLINES"], |tables| tables.pre_apply = "agree"));
    let mut process = lab.start();
    let pid = process.pid_text();
    for patch in [&hooked, &other, &hooked, &other] {
        lab.json(&["apply", &pid, patch.to_str().expect("UTF-8")]);
        assert_eq!(process.say("call"), "102 9 3");
    }
    lab.json(&["revert", &pid, "--all"]);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while lab.json(&["status", &pid])["reclaimed"] != 2 {
        assert!(std::time::Instant::now() < deadline, "nothing runs in the patches, and they stay");
        process.say("call");
    }
    lab.json(&["apply", &pid, hooked.to_str().expect("UTF-8")]);
    assert_eq!(process.say("call"), "102 9 3");
}

#[test]
fn a_patch_file_may_be_overwritten_once_it_is_applied() {
    let lab = Lab::new(&[]);
    let patch = lab.patch("fix", &[], |_| {});
    let mut process = lab.start();
    let pid = process.pid_text();
    lab.json(&["apply", &pid, patch.to_str().expect("UTF-8")]);
    std::fs::write(&patch, "gone").expect("ours");
    assert_eq!(process.say("call"), "102 9 3");
    lab.json(&["revert", &pid]);
    assert_eq!(process.say("call"), "1 1 1");
}

#[test]
fn the_patch_is_called_by_its_name_in_the_maps() {
    let lab = Lab::new(&[]);
    let patch = lab.patch("CVE-2023-1", &[], |_| {});
    let process = lab.start();
    lab.json(&["apply", &process.pid_text(), patch.to_str().expect("UTF-8")]);
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", process.pid)).expect("readable");
    let code = maps.lines().find(|line| line.contains("r-xp") && line.contains("/memfd:CVE-2023-1"));
    assert!(code.is_some(), "{maps}");
    assert!(!maps.contains("rwxp"), "no text stays writable: {maps}");
}

#[test]
fn processes_are_listed_and_sockets_of_dead_ones_removed() {
    let lab = Lab::new(&[]);
    let process = lab.start();
    let stale = lab.sockets().join(format!("{}.sock", {
        let killed = lab.start();
        lab.json(&["status", &killed.pid_text()]);
        killed.pid
    }));
    assert!(stale.exists(), "a killed process leaves its socket");
    let listed = lab.json(&["ps"]);
    let pids: Vec<_> = listed.as_array().expect("a list").iter().filter_map(|p| p["pid"].as_u64()).collect();
    assert!(pids.contains(&process.pid.into()), "{listed}");
    assert!(!stale.exists(), "ps removes it");
    let own = lab.sockets().join(format!("{}.sock", process.pid));
    assert!(own.exists());
    assert_eq!(process.end(), Some(0));
    assert!(!own.exists(), "a process that ends removes its own");
}
