//! What must have a case, has one: each hazard this stage answers for, each reason of patchgen to refuse, each exit
//! code of dsuctl.

use testsuite::case;
use testsuite::tools::workspace;

/// Entries of the list of hazards.
const HAZARDS: std::ops::RangeInclusive<u32> = 1..=54;

/// Hazards that are met by a case of another name, or by a test that is no case: its file and function.
const MET_ELSEWHERE: &[(u32, &str, &str)] = &[
    (10, "testsuite/cases/runtime/shadow-variables/v1.c", ""),
    (27, "testsuite/tests/order.rs", "in_thread_a_thread_halted_in_a_stub_goes_where_the_stub_has_sent_it"),
    (29, "testsuite/tests/order.rs", "in_thread_a_halted_thread_stays_in_one_version_from_point_to_point"),
    (31, "testsuite/tests/unstopped.rs", "in_thread_a_running_thread_never_waits_and_sees_no_gaps_of_ours"),
    (32, "testsuite/tests/unstopped.rs", "an_update_is_nothing_to_a_sleeping_thread_as_strace_sees_it"),
    (33, "testsuite/tests/order.rs", "in_thread_no_pass_sees_two_versions_armed"),
    (36, "testsuite/tests/reclaim.rs", "code_stays_as_long_as_a_thread_is_inside"),
    (42, "testsuite/cases/patchgen/h23-pointer-from-new-code/v1.c", ""),
    (43, "testsuite/tests/reclaim.rs", "code_stays_as_long_as_a_thread_is_inside"),
    (44, "runtime/ctl/tests/it/moving.rs", "a_variable_that_patches_add_goes_on_from_one_to_the_next"),
    (45, "testsuite/cases/runtime/three-versions/v1.c", ""),
    (48, "runtime/ctl/tests/it/surface.rs", "what_the_release_engineer_answered_for_is_shown_to_the_operator"),
];

/// Reasons of patchgen that no small program can provoke, and why.
const UNPROVOKED_REASONS: &[(&str, &str)] = &[
    ("code-model", "the plugin leaves such units alone, so they are refused as not instrumented first"),
    ("function-missing", "what the linker dropped from the base is brought along by the patch"),
    ("unsupported-relocation", "no compiler output that needs one is known"),
    ("internal", "a mistake of ours; were one known, it would be mended"),
    ("different-machine", "both builds have to be x86-64 before they are compared"),
    ("foreign-bitcode", "needs another LLVM; patchgen's own tests make such bitcode"),
];

/// Exit codes of dsuctl likewise.
const UNPROVOKED_CODES: &[(&str, &str)] = &[
    ("DONE", "every case"),
    ("FAILED", "the reasons without a number are those nobody has met"),
    ("NO_ANSWER", "needs a runtime of another version"),
    ("UNRESOLVED", "patchgen refuses such patches; needs other libraries at run time"),
    ("NO_BARRIER", "needs a kernel before 4.16"),
    ("CARRIED_DIFFERS", "needs a patch over a patch with another variable of the same name"),
    ("OUT_OF_RESOURCES", "needs a full machine"),
    ("FORKED_IN_UPDATE", "needs a fork at the very moment of loading"),
    ("BAD_REFERENCE", "patchgen writes no reference that the runtime cannot make"),
];

/// The directives of every case, with the case's name before each.
fn directives() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, case) in case::discover(&case::root()).expect("the cases can be listed") {
        let case = case.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let source = case::source_of(&case.dir, "v1").expect("parsed just now");
        let text = std::fs::read_to_string(source).expect("parsed just now");
        let lines = text.lines().filter_map(|line| line.strip_prefix("//#"));
        found.extend(lines.map(|line| (name.clone(), line.to_string())));
    }
    found
}

#[test]
fn every_hazard_has_a_case() {
    let names: Vec<_> = directives().into_iter().map(|(name, _)| name).collect();
    let has_case = |number: u32| names.iter().any(|name| name.contains(&format!("/h{number:02}-")));
    let has_test = |number: u32| {
        MET_ELSEWHERE.iter().filter(|(met, ..)| *met == number).any(|(_, file, function)| {
            let text = std::fs::read_to_string(workspace().join(file)).unwrap_or_default();
            text.contains(&if function.is_empty() { String::from("//#") } else { format!("fn {function}()") })
        })
    };
    let missing: Vec<_> = HAZARDS.filter(|number| !has_case(*number) && !has_test(*number)).collect();
    assert!(missing.is_empty(), "no case is called `hNN-…`, and no test is named, for: {missing:?}");
    let twice: Vec<_> = MET_ELSEWHERE.iter().filter(|(number, ..)| has_case(*number)).collect();
    assert!(twice.is_empty(), "these have a case of their own: {twice:?}");
}

#[test]
fn every_reason_to_refuse_has_a_case() {
    let source =
        std::fs::read_to_string(workspace().join("patchgen/src/problem.rs")).expect("patchgen has its reasons");
    let ids: Vec<_> = source
        .lines()
        .filter(|line| line.contains("exit::") && line.contains(" = \""))
        .filter_map(|line| line.split('"').nth(1))
        .collect();
    assert!(ids.len() > 20, "the reasons are no longer where this test looks: {ids:?}");
    let directives = directives();
    let provoked = |id: &str| {
        directives.iter().any(|(_, d)| d.contains(&format!("[{id}]")) || d.starts_with(&format!("ExpectRefused:{id}")))
    };
    let excused = |id: &str| UNPROVOKED_REASONS.iter().any(|(known, _)| *known == id);
    let missing: Vec<_> = ids.iter().filter(|id| !provoked(id) && !excused(id)).collect();
    assert!(missing.is_empty(), "no case provokes: {missing:?}");
    let stale: Vec<_> = UNPROVOKED_REASONS.iter().filter(|(id, _)| provoked(id) || !ids.contains(id)).collect();
    assert!(stale.is_empty(), "excused, but provoked or gone: {stale:?}");
}

#[test]
fn every_exit_code_of_dsuctl_has_a_case() {
    let source = std::fs::read_to_string(workspace().join("runtime/ctl/src/exit.rs")).expect("dsuctl has its codes");
    let constant = |line: &str| -> Option<(String, String)> {
        let (name, value) = line.split_once("const ")?.1.split_once(": u8 = ")?;
        Some((name.into(), value.trim_end_matches(';').into()))
    };
    let codes: Vec<_> = source.lines().filter_map(constant).collect();
    assert!(codes.len() > 10, "the codes are no longer where this test looks: {codes:?}");
    let directives = directives();
    let provoked = |code: &str| {
        let states = |d: &str| -> Option<bool> {
            let (name, value) = d.split_once(':')?;
            let nth = match name {
                "ApplyFails" => 1,
                "RevertFails" | "ToolError" | "ToolExit" => 0,
                _ => return None,
            };
            Some(value.split_ascii_whitespace().nth(nth)? == code)
        };
        directives.iter().any(|(_, d)| states(d) == Some(true))
    };
    let excused = |name: &str| UNPROVOKED_CODES.iter().any(|(known, _)| *known == name);
    let missing: Vec<_> = codes.iter().filter(|(name, code)| !provoked(code) && !excused(name)).collect();
    assert!(missing.is_empty(), "no case provokes: {missing:?}");
}
