//! Threads calling in a loop while versions change under them.

use std::time::Instant;

use crate::support::Lab;

/// Rounds of apply and revert; `DSU_STRESS_ROUNDS` for more.
fn rounds() -> usize {
    std::env::var("DSU_STRESS_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(500)
}

#[test]
fn four_threads_see_only_right_results_while_versions_change() {
    let lab = Lab::new(&[]);
    let whole = lab.patch("whole", &[], |_| {});
    let part = lab.patch("part", &[], |tables| tables.functions.truncate(2));
    let mut process = lab.start();
    let pid = process.pid_text();
    process.say("hammer");
    let apply = |patch: &std::path::Path| lab.json(&["apply", &pid, patch.to_str().expect("UTF-8")]);
    // Both images are loaded before memory is compared.
    apply(&whole);
    apply(&part);
    let before: i64 = process.say("memory").parse().expect("a number");
    let (begin, mut slowest) = (Instant::now(), 0.0f64);
    for round in 0..rounds() {
        let applied = apply(if round % 3 == 0 { &part } else { &whole });
        let us = |step: &str| applied["timings_us"][step].as_f64().expect("a number");
        slowest = slowest.max(us("prepare") + us("commit"));
        if round % 2 == 0 {
            lab.json(&["revert", &pid]);
        }
    }
    let after: i64 = process.say("memory").parse().expect("a number");
    let heard = process.say("rest");
    println!("{} rounds in {:?}, slowest switch {slowest:.0} µs, {heard}", rounds(), begin.elapsed());
    assert!(heard.starts_with("wrong 0 of "), "{heard}");
    assert!(after - before < 32, "memory grew from {before} to {after} pages");
}
