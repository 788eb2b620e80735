//! Threads calling in a loop while versions change under them.

use std::fs::File;
use std::time::Instant;

use crate::client::{change, connect};
use crate::support::Lab;

/// Rounds of apply and revert; `DSU_STRESS_ROUNDS` for more.
fn rounds() -> usize {
    std::env::var("DSU_STRESS_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(2000)
}

#[test]
fn four_threads_see_only_right_results_while_versions_change() {
    let lab = Lab::new(&[]);
    let whole = File::open(lab.patch("whole", &[], |_| {})).expect("just written");
    let part = File::open(lab.patch("part", &[], |tables| tables.functions.truncate(2))).expect("just written");
    let mut process = lab.start();
    let socket = connect(&lab, &process);
    process.say("hammer");
    process.say("memory"); // The first answer brings in pages of libc.
    change(&socket, Some(&whole));
    drop(socket);
    let mut times: [Vec<u64>; 2] = Default::default();
    let mut before = 0;
    let begin = Instant::now();
    for round in 0..rounds() {
        // A request is one connection, as dsuctl makes it.
        let request = |patch| change(&crate::client::connect_again(&lab, &process), patch);
        let applied = request(Some(if round % 3 == 0 { &part } else { &whole }));
        for (times, time) in times.iter_mut().zip(applied) {
            times.push(time);
        }
        if round % 2 == 0 {
            request(None);
        }
        if round == rounds() / 10 {
            before = process.say("memory").parse().expect("a number");
        }
    }
    let elapsed = begin.elapsed();
    let after: i64 = process.say("memory").parse().expect("a number");
    let heard = process.say("rest");
    let [prepare, commit] = times.map(|mut times| {
        times.sort_unstable();
        [times[times.len() / 2], times[times.len() - 1]].map(|ns| ns / 1000)
    });
    println!(
        "{} rounds in {elapsed:?}; median and worst µs: prepare {prepare:?}, commit {commit:?}; {heard}",
        rounds()
    );
    println!("resident pages after a tenth of the rounds {before}, at the end {after}");
    assert!(heard.starts_with("wrong 0 of "), "{heard}");
    assert!(after - before < 16, "memory grew from {before} to {after} pages");
}
