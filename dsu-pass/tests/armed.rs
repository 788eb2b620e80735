//! Stubs that are used: a program redirects its own functions and takes it back.

mod common;

use common::{Bench, LEVELS, in_parallel, input};

/// Before, redirected, and taken back.
const EXPECTED: &str = "20 120 12 1234513\n30 -5 4.5 765433\n20 120 12 1234513\n";

#[test]
fn redirected_and_taken_back_in_every_mode() {
    let source = input("arm.c");
    let modes: [&[&str]; 5] = [
        &["-fPIE", "-pie"],
        &["-fno-pic", "-no-pie"],
        &["-fPIE", "-pie", "-fcf-protection=full"],
        &["-fPIC", "-fuse-ld=lld", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"],
        &["-fPIE", "-fno-integrated-as"],
    ];
    let mut jobs = Vec::new();
    for dispatch in ["armed", "always"] {
        for (turn, mode) in modes.iter().enumerate() {
            // Every mode at two levels, every level in some mode.
            jobs.extend([0, 3].map(|step| (dispatch, LEVELS[(turn + step) % LEVELS.len()], *mode)));
        }
    }
    in_parallel(&jobs, |(dispatch, level, mode)| {
        let bench = Bench::new();
        let args = [&["-w", level, source.to_str().expect("UTF-8"), "-o", "arm"], *mode].concat();
        bench.dsu(&format!("dispatch={dispatch}"), &args);
        assert_eq!(bench.run("./arm", &[]), EXPECTED, "{dispatch} {args:?}");
    });
}

/// An assembler listing is as good as an object.
#[test]
fn assembly_output_assembles_to_the_same() {
    let bench = Bench::new();
    let source = input("arm.c");
    let source = source.to_str().expect("UTF-8");
    bench.dsu("", &["-w", "-O2", "-S", "-fno-addrsig", source, "-o", "arm.s"]);
    bench.plain(&["-c", "arm.s", "-o", "by_clang.o"]);
    bench.run("as", &["arm.s", "-o", "by_gas.o"]);
    for object in ["by_clang.o", "by_gas.o"] {
        bench.plain(&[object, "-o", "arm"]);
        assert_eq!(bench.run("./arm", &[]), EXPECTED, "{object}");
        assert_eq!(common::object::units(&bench.read("arm")).len(), 1, "{object}");
    }
}

/// What an instrumented program prints is what the plain one prints, C++ and its comdats included.
#[test]
fn programs_behave_as_without_stubs() {
    let sources = [input("shapes.cpp"), input("shapes_main.cpp")];
    let sources = sources.each_ref().map(|path| path.to_str().expect("UTF-8"));
    let mut jobs = Vec::new();
    for level in ["-O0", "-O2", "-Os"] {
        jobs.extend(["armed", "always"].map(|dispatch| (level, dispatch)));
    }
    in_parallel(&jobs, |(level, dispatch)| {
        let bench = Bench::new();
        bench.plain(&[&sources[..], &["-w", level, "-o", "plain"]].concat());
        bench.dsu(&format!("dispatch={dispatch}"), &[&sources[..], &["-w", level, "-o", "dsu"]].concat());
        let expected = bench.run("./plain", &[]);
        assert_eq!(bench.run("./dsu", &[]), expected, "{level} {dispatch}");
        assert!(expected.starts_with("run "), "{expected}");
    });
}
