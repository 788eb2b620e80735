//! What people and scripts see of `dsuctl`, and programs of `dsu.h`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Lab, library, run};

fn dsuctl(arguments: &[&str]) -> String {
    run(Command::new(env!("CARGO_BIN_EXE_dsuctl")).args(arguments))
}

#[test]
fn help_has_examples_and_exit_codes() {
    let help = dsuctl(&["--help"]);
    assert!(help.contains("dsuctl apply 4711 fix.dsu") && help.contains("Exit codes:"), "{help}");
    for command in ["ps", "status", "apply", "revert", "completions", "man"] {
        assert!(dsuctl(&[command, "--help"]).contains("Example"), "`{command}` has no example");
    }
}

#[test]
fn completions_and_manual_pages_are_written() {
    assert!(dsuctl(&["completions", "bash"]).contains("_dsuctl"));
    let dir = tempfile::TempDir::new().expect("temporary directories can be made");
    dsuctl(&["man", dir.path().join("man1").to_str().expect("UTF-8")]);
    let page = fs::read_to_string(dir.path().join("man1/dsuctl.1")).expect("written");
    assert!(page.contains("socket") && dir.path().join("man1/dsuctl-apply.1").exists(), "{page}");
}

#[test]
fn text_has_no_colours_for_a_pipe_and_says_what_json_says() {
    let lab = Lab::new(&[]);
    let patch = lab.patch("fix", &[], |_| {});
    let process = lab.start();
    let pid = process.pid_text();
    let applied = lab.dsuctl(&["apply", &pid, patch.to_str().expect("UTF-8")]);
    let text = String::from_utf8(applied.stdout).expect("UTF-8");
    assert!(!text.contains('\x1b'), "{text}");
    assert!(text.starts_with(&format!("applied fix to process {pid} (base): 3 functions, generation 1\n")), "{text}");
    assert!(text.contains("second") && text.contains("base.c") && text.contains("commit"), "{text}");
    let status = String::from_utf8(lab.dsuctl(&["status", &pid]).stdout).expect("UTF-8");
    let document = lab.json(&["status", &pid]);
    let module = &document["modules"][0];
    for field in ["path", "build_id"] {
        assert!(status.contains(module[field].as_str().expect("a string")), "{field}: {status}");
    }
    for field in ["dispatch", "functions", "points"] {
        assert!(!module[field].is_null(), "{field} is missing: {document}");
    }
    let version = |function: &serde_json::Value| function["version"] == 1 && function["unit"] == "base.c";
    assert!(module["redirected"].as_array().expect("a list").iter().all(version), "{document}");
}

#[test]
fn what_the_release_engineer_answered_for_is_shown_to_the_operator() {
    let lab = Lab::new(&[]);
    let manifest =
        r#"{"accepted": [{"subject": "struct conn", "reason": "layout changed", "because": "never on the heap"}]}"#;
    let patch = lab.patch("fix", &[], |tables| tables.manifest = manifest.to_owned());
    let process = lab.start();
    let pid = process.pid_text();
    let text = String::from_utf8(lab.dsuctl(&["apply", &pid, patch.to_str().expect("UTF-8")]).stdout).expect("UTF-8");
    assert!(text.contains("accepted risk `struct conn`: layout changed; never on the heap\n"), "{text}");
    lab.json(&["revert", &pid]);
    let document = lab.json(&["apply", &pid, patch.to_str().expect("UTF-8")]);
    assert_eq!(document["accepted"][0]["because"], "never on the heap");
}

#[test]
fn the_header_is_harmless_without_plugin_and_without_runtime() {
    let dir = tempfile::TempDir::new().expect("temporary directories can be made");
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../include");
    let one = dir.path().join("one.c");
    let two = dir.path().join("two.c");
    let body = "#include \"dsu.h\"\nint two(void);\nDSU_NEVER int NAME(void) { DSU_QUIESCENCE_POINT(); return 0; }\n";
    fs::write(&one, body.replace("NAME", "one") + "int main(void) { return one() + two(); }\n").expect("ours");
    fs::write(&two, body.replace("NAME", "two")).expect("ours");
    let program = dir.path().join("program");
    for compiler in [&["gcc"][..], &["gcc", "-x", "c++"], &["clang-19"], &["clang-19", "-x", "c++"]] {
        for runtime in [None, Some(library())] {
            let mut command = Command::new(compiler[0]);
            command.args(&compiler[1..]).args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O2", "-I"]).arg(&include);
            command.args([&one, &two]).arg("-o").arg(&program);
            if let Some(library) = runtime {
                command.args(["-x", "none", "-Wl,-u,__dsu_runtime"]).arg(library);
            }
            run(&mut command);
            run(&mut Command::new(&program));
        }
    }
}
