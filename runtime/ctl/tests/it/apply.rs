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
