//! Updates with consistency `thread` in real processes: who moves when, what is seen meanwhile, and how they go back.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use dsu_abi::patch::Consistency;
use serde_json::Value;

use crate::support::{Lab, Process};

/// A base program whose threads stand where they are told, and patches for it with dispatch stubs and original-code trampolines.
struct Crew {
    lab: Lab,
    process: Process,
    pid: String,
    one: String,
    two: String,
}

impl Crew {
    fn new() -> Self {
        let lab = Lab::new(&["-DCREW", "-DWITH_POINTS"]);
        let patch = |name, more: &[&str]| {
            let defines = [&["-DTRAMPOLINES"], more].concat();
            let path = lab.patch(name, &defines, |tables| tables.consistency = Consistency::Thread);
            path.to_str().expect("UTF-8").to_owned()
        };
        let (one, two) = (patch("one", &[]), patch("two", &["-DADD=100"]));
        let process = lab.start();
        let pid = process.pid_text();
        Self { lab, process, pid, one, two }
    }

    fn status(&self) -> Value {
        self.lab.json(&["status", &self.pid])
    }

    fn apply(&self, patch: &str, more: &[&str]) -> Value {
        self.lab.json(&[&["apply", &self.pid, patch], more].concat())
    }

    fn revert(&self, more: &[&str]) -> Value {
        self.lab.json(&[&["revert", &self.pid], more].concat())
    }

    /// Starts dsuctl, which is going to wait.
    fn start(&self, words: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dsuctl"));
        command.args(words).env("DSU_RUNTIME_DIR", self.lab.sockets()).env("NO_COLOR", "1");
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("dsuctl was just built")
    }

    /// Asks for the status until it is as wanted.
    fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begin = Instant::now();
        loop {
            let status = self.status();
            if wanted(&status) {
                return status;
            }
            assert!(begin.elapsed() < Duration::from_secs(10), "not {what}: {status:#}");
        }
    }

    fn never_mixed(&mut self) {
        let said = self.process.say("mixed");
        assert!(said.starts_with("0 of "), "threads saw a mix of versions: {said}");
    }
}

/// The thread of that name.
fn thread<'s>(status: &'s Value, name: &str) -> &'s Value {
    let mut threads = status["threads"].as_array().expect("a list").iter();
    threads.find(|thread| thread["name"] == name).unwrap_or_else(|| panic!("no thread `{name}`: {status:#}"))
}

fn is_moving(status: &Value) -> bool {
    !status["transition"].is_null()
}

#[test]
fn threads_at_work_and_asleep_move_by_themselves() {
    let mut crew = Crew::new();
    crew.process.say("work 4");
    crew.process.say("sleep 3");
    for (patch, call) in [(crew.one.clone(), "102 9 3"), (crew.two.clone(), "202 109 103")] {
        let applied = crew.apply(&patch, &[]);
        assert_eq!((&applied["consistency"], &applied["complete"]), (&"thread".into(), &true.into()));
        assert_eq!(crew.process.say("call"), call);
    }
    let status = crew.status();
    assert!(status["threads"].as_array().is_some_and(|t| t.len() == 8 && t.iter().all(|t| t["standing"] == "moved")));
    assert_eq!(crew.revert(&[])["back_at"][0], "one");
    assert_eq!(crew.process.say("call"), "102 9 3");
    crew.revert(&[]);
    assert_eq!(crew.process.say("call"), "1 1 1");
    assert_eq!(crew.lab.refusal(&["revert", &crew.pid]).0, 3);
    crew.never_mixed();
}

#[test]
fn who_has_not_moved_is_told_with_the_reason() {
    let mut crew = Crew::new();
    crew.process.say("spin");
    crew.process.say("inside");
    assert_eq!(crew.apply(&crew.one, &["--no-wait"])["complete"], false);
    let is_inside = |status: &Value| thread(status, "inside")["standing"] == "inside";
    let status = crew.until("told that a thread is inside `hold`", is_inside);
    assert_eq!(thread(&status, "inside")["words"], "inside `hold` (base.c:9)");
    assert_eq!(thread(&status, "spinner")["words"], "no quiescence point reached");
    assert!(is_moving(&status), "{status:#}");
    assert_eq!(crew.process.say("call"), "102 9 3", "the main thread has moved");
    crew.process.say("unspin");
    crew.until("told that the spinner has moved", |status| thread(status, "spinner")["standing"] == "moved");
    crew.process.say("let go");
    crew.until("over", |status| !is_moving(status));
    crew.never_mixed();
}

#[test]
fn revert_during_a_transition_takes_everybody_back() {
    let mut crew = Crew::new();
    crew.process.say("work 2");
    crew.process.say("spin");
    crew.apply(&crew.one, &["--no-wait"]);
    assert_eq!(crew.process.say("call"), "102 9 3");
    let reverted = crew.revert(&[]);
    assert_eq!((&reverted["complete"], &reverted["back_at"]), (&true.into(), &serde_json::json!([])));
    assert_eq!(crew.process.say("call"), "1 1 1");
    let status = crew.status();
    assert!(!is_moving(&status) && status["modules"][0]["patches"] == serde_json::json!([]), "{status:#}");
    // Nothing is left that a further update could trip over.
    crew.process.say("unspin");
    crew.apply(&crew.two, &[]);
    assert_eq!(crew.process.say("call"), "202 109 103");
    crew.never_mixed();
}

#[test]
fn a_timeout_turns_an_update_back_and_names_the_thread() {
    let mut crew = Crew::new();
    crew.process.say("spin");
    let (code, said) = crew.lab.refusal(&["apply", &crew.pid, &crew.one, "--timeout", "1500ms"]);
    assert_eq!(code, 40, "{said}");
    assert!(said.contains("`spinner`") && said.contains("no quiescence point reached"), "{said}");
    assert_eq!(crew.process.say("call"), "1 1 1");
    assert_eq!(crew.apply(&crew.one, &["--consistency", "newest"])["complete"], true, "newest waits for nobody");
    assert_eq!(crew.process.say("call"), "102 9 3");
}

#[test]
fn a_second_update_is_refused_or_queued() {
    let mut crew = Crew::new();
    crew.process.say("spin");
    crew.apply(&crew.one, &["--no-wait"]);
    let (code, said) = crew.lab.refusal(&["apply", &crew.pid, &crew.two]);
    assert!(code == 34 && said.contains("--queue"), "{said}");
    let waiting = crew.start(&["apply", &crew.pid, &crew.two, "--queue", "--json"]);
    crew.until("queued", |status| status["transition"]["queued"] == true);
    crew.process.say("unspin");
    let output = waiting.wait_with_output().expect("our child");
    let queued: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&queued["patch"], &queued["complete"]), (&"two".into(), &true.into()));
    let status = crew.status();
    let names: Vec<_> =
        status["modules"][0]["patches"].as_array().expect("a list").iter().map(|p| &p["name"]).collect();
    assert_eq!(names, ["two", "one"]);
    assert_eq!(crew.process.say("call"), "202 109 103");
    crew.revert(&["--all"]);
    assert_eq!(crew.process.say("call"), "1 1 1");
    crew.never_mixed();
}

#[test]
fn an_apply_while_reverting_is_refused() {
    let mut crew = Crew::new();
    crew.apply(&crew.one, &[]);
    crew.process.say("spin");
    crew.revert(&["--no-wait"]);
    let (code, said) = crew.lab.refusal(&["apply", &crew.pid, &crew.two]);
    assert_eq!(code, 34, "{said}");
    assert_eq!(crew.process.say("call"), "1 1 1", "the main thread is back");
    crew.process.say("unspin");
    crew.until("over", |status| !is_moving(status));
    crew.never_mixed();
}

#[test]
fn a_child_forked_meanwhile_has_one_version_and_no_transition() {
    let mut crew = Crew::new();
    crew.process.say("spin");
    crew.apply(&crew.one, &["--no-wait"]);
    assert_eq!(crew.process.say("vfork"), "0");
    crew.process.pid = crew.process.say("fork").parse().expect("the child says its number");
    let child = crew.process.pid_text();
    let status = crew.lab.json(&["status", &child]);
    assert!(!is_moving(&status), "{status:#}");
    assert_eq!(crew.process.say("call"), "102 9 3", "the thread that forked had moved");
    assert!(is_moving(&crew.status()), "the parent still waits for its spinner");
    crew.lab.json(&["revert", &child]);
    assert_eq!(crew.process.say("call"), "1 1 1");
}

#[test]
fn exec_ends_the_wait_with_words_of_its_own() {
    let mut crew = Crew::new();
    crew.process = crew.lab.start_with(Command::new(&crew.lab.program).env("OTHER", &crew.lab.program));
    crew.pid = crew.process.pid_text();
    crew.process.say("spin");
    let waiting = crew.start(&["apply", &crew.pid, &crew.one]);
    crew.until("moving", is_moving);
    assert_eq!(crew.process.say("exec"), crew.pid);
    let output = waiting.wait_with_output().expect("our child");
    assert_eq!(output.status.code(), Some(10), "{output:?}");
    assert_eq!(crew.process.say("call"), "1 1 1");
}

#[test]
fn a_tree_waits_for_the_threads_of_all_its_processes() {
    let mut crew = Crew::new();
    crew.process.pid = crew.process.say("fork").parse().expect("the child says its number");
    crew.process.say("spin");
    let (code, said) = crew.lab.refusal(&["apply", "--tree", &crew.pid, &crew.one, "--timeout", "1500ms"]);
    assert_eq!(code, 40, "{said}");
    assert_eq!(crew.process.say("call"), "1 1 1");
    // The parent sleeps in waitpid, at no point and in no region.
    assert!(said.contains("no quiescence point reached"), "{said}");
}

#[test]
fn a_thousand_sleeping_threads_move_without_being_woken() {
    let mut crew = Crew::new();
    crew.process.say("sleep 1000");
    let applied = crew.apply(&crew.one, &[]);
    assert_eq!(applied["threads"], 1001, "{applied:#}");
    println!("1,000 threads moved after {} ms", applied["took_ns"].as_u64().expect("a number") / 1_000_000);
    let status = crew.status();
    assert!(status["threads"].as_array().expect("a list").iter().all(|thread| thread["standing"] == "moved"));
    crew.revert(&[]);
    assert_eq!(crew.process.say("call"), "1 1 1");
}

#[test]
fn code_that_nothing_can_return_into_goes_and_comes_back() {
    let mut crew = Crew::new();
    crew.process.say("work 2");
    crew.process.say("inside");
    crew.apply(&crew.one, &["--consistency", "newest"]);
    let mapped = crew.status()["code_bytes"].as_u64().expect("a number");
    assert!(mapped > 0);
    crew.revert(&["--all"]);
    let gone = crew.until("reclaimed", |status| status["reclaimed"] == 1);
    assert_eq!((&gone["code_bytes"], &gone["images"]), (&0.into(), &1.into()));
    let again = crew.apply(&crew.one, &["--consistency", "newest"]);
    assert_eq!((&again["reused"], crew.process.say("call")), (&true.into(), "102 9 3".to_owned()));
    assert_eq!(crew.status()["code_bytes"], mapped);
}

#[test]
fn a_variable_that_patches_add_goes_on_from_one_to_the_next() {
    let mut crew = Crew::new();
    crew.apply(&crew.one, &[]);
    assert_eq!((crew.process.say("hold"), crew.process.say("hold")), ("41".to_owned(), "42".to_owned()));
    crew.apply(&crew.two, &[]);
    assert_eq!(crew.process.say("hold"), "43");
    let other = crew.lab.patch("other", &["-DTRAMPOLINES"], |tables| tables.shape = 2);
    let (code, said) = crew.lab.refusal(&["apply", &crew.pid, other.to_str().expect("UTF-8")]);
    assert!(code == 37 && said.contains("`added`"), "{said}");
    crew.revert(&[]);
    assert_eq!(crew.process.say("hold"), "44");
}

#[test]
fn what_consistency_thread_needs_is_asked_for_first() {
    let mut crew = Crew::new();
    let bare = crew.lab.patch("bare", &[], |tables| tables.functions.truncate(3));
    let bare = bare.to_str().expect("UTF-8");
    let (code, said) = crew.lab.refusal(&["apply", &crew.pid, bare, "--consistency", "thread"]);
    assert!(code == 35 && said.contains("--consistency newest"), "{said}");
    let vetoed = crew.lab.patch("vetoed", &["-DTRAMPOLINES"], |tables| tables.pre_apply = "veto");
    let (code, said) = crew.lab.refusal(&["apply", &crew.pid, vetoed.to_str().expect("UTF-8")]);
    assert!(code == 36 && said.contains("dsu_pre_apply"), "{said}");
    assert_eq!(crew.process.say("call"), "1 1 1");
    let pointless = Lab::new(&["-DPOINTS=0"]);
    let patch = pointless.patch("fix", &[], |_| {});
    let process = pointless.start();
    let pid = process.pid_text();
    let patch = patch.to_str().expect("UTF-8");
    let (code, said) = pointless.refusal(&["apply", &pid, patch, "--consistency", "thread"]);
    assert!(code == 38 && said.contains("no quiescence points"), "{said}");
}
