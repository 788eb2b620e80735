//! Instrumented code in libraries and plugins; several copies of the runtime in one process.

use std::process::Command;

use dsu_abi::patch::Consistency;

use crate::support::{Lab, Process, library, programs, run};

/// A program that loads the lab's plugin, linked with more arguments.
fn host(lab: &Lab, arguments: &[&str]) -> Command {
    let host = lab.dir.path().join("host");
    run(Command::new("clang-19")
        .args(["-O2", "-pthread"])
        .args(arguments)
        .arg(programs().join("host.c"))
        .arg("-o")
        .arg(&host));
    let mut command = Command::new(host);
    command.arg(&lab.program);
    command
}

/// Threads of the runtime in a process.
fn runtimes(process: &Process) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", process.pid)).expect("alive").flatten();
    tasks.filter(|task| std::fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name == "dsu\n")).count()
}

const PLUGIN: [&str; 4] = ["-shared", "-fPIC", "-Dmain=base_main", "-Wl,-Bsymbolic"];

#[test]
fn a_plugin_is_updated_and_named() {
    let lab = Lab::new(&PLUGIN);
    let patch = lab.patch("fix", &[], |_| {});
    let mut process = lab.start_with(&mut host(&lab, &[]));
    let pid = process.pid_text();
    lab.json(&["apply", &pid, patch.to_str().expect("UTF-8")]);
    assert_eq!(process.say("call"), "102 9 3");
    let status = lab.json(&["status", &pid]);
    assert_eq!(status["modules"][0]["path"].as_str(), lab.program.to_str());
    lab.json(&["revert", &pid]);
    assert_eq!(process.say("call"), "1 1 1");
    assert_eq!(process.end(), Some(0), "unloading a plugin with a runtime and a patch harms nobody");
}

#[test]
fn a_plugin_of_a_program_with_threads_takes_the_environment_of_its_start() {
    let lab = Lab::new(&PLUGIN);
    let process = lab.start_with(host(&lab, &[]).env("HOST_THREAD", "1"));
    let status = lab.json(&["status", &process.pid_text()]);
    assert_eq!(status["generation"], 0, "the program has turned the runtime off too late");
}

#[test]
fn one_runtime_serves_program_and_plugin() {
    let lab = Lab::new(&PLUGIN);
    let patch = lab.patch("fix", &[], |_| {});
    let runtime = library();
    let mut linked = host(&lab, &["-Wl,-u,__dsu_runtime", runtime.to_str().expect("UTF-8")]);
    let mut process = lab.start_with(&mut linked);
    let pid = process.pid_text();
    lab.json(&["apply", &pid, patch.to_str().expect("UTF-8")]);
    assert_eq!((process.say("call"), runtimes(&process)), ("102 9 3".into(), 1));
    process.pid = process.say("fork").parse().expect("the child says its number");
    assert_eq!(lab.json(&["status", &process.pid_text()])["generation"], 1);
    assert_eq!(runtimes(&process), 1);
}

#[test]
fn threads_of_a_program_are_moved_by_the_runtime_of_its_library() {
    let lab = Lab::new(&["-DCREW", "-DWITH_POINTS", "-Wl,--export-dynamic-symbol=__dsu_*"]);
    let patch = lab.patch("fix", &["-DTRAMPOLINES"], |tables| tables.consistency = Consistency::Thread);
    // A library with its own copy, whose constructor runs before the program's.
    let library_source = lab.dir.path().join("extra.c");
    std::fs::write(&library_source, "int extra;\n").expect("ours");
    let extra = lab.dir.path().join("libextra.so");
    let mut clang = Command::new("clang-19");
    clang.args(["-shared", "-fPIC", "-Wl,-u,__dsu_runtime"]).arg(&library_source).arg(library()).arg("-o").arg(&extra);
    run(&mut clang);
    let mut process = lab.start_with(Command::new(&lab.program).env("LD_PRELOAD", &extra));
    let pid = process.pid_text();
    process.say("work 2");
    let applied = lab.json(&["apply", &pid, patch.to_str().expect("UTF-8"), "--timeout", "20s"]);
    assert_eq!((&applied["complete"], runtimes(&process)), (&true.into(), 1));
    assert_eq!(process.say("call"), "102 9 3");
}
