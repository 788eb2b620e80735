//! Real builds, compared and patched: `patchgen` as a process on programs made by `dsu-cc`.
//!
//! The tools are those of `$DSU_TOOLS`, or of `target/release`; without them each test says so and passes, unless
//! `DSU_TEST_ALLOW_SKIP=0`.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Place, patchgen};
use serde_json::Value;

const V1: &str = r#"
#include <stdio.h>
struct item { int price, count; };
static int total;
int limit = 3;
__attribute__((noinline)) int price(struct item *i) { static int calls; total += ++calls; return i->price * 2; }
__attribute__((noinline)) static int twice(int n) { return n * limit; }
int main(int argc, char **argv) { struct item i = {argc, 1}; printf("%d %d\n", price(&i), twice(argc)); return total; }
"#;

impl Place {
    fn build(&self, name: &str, source: &str) -> PathBuf {
        self.build_with(name, source, &["-O2"])
    }

    /// Exit code and verdict of `patchgen diff OLD NEW --json`.
    fn diff(&self, old: &Path, new: &Path) -> (Option<i32>, Value) {
        let output = patchgen(&["diff".as_ref(), old, new, "--json".as_ref()]);
        (output.status.code(), serde_json::from_slice(&output.stdout).expect("diff --json prints JSON"))
    }
}

fn list(value: &Value, key: &str, field: &str) -> Vec<String> {
    let entries = value[key].as_array().expect("a list").iter();
    entries.map(|e| e[field].as_str().expect("text").to_owned()).collect()
}

#[test]
fn equal_builds_are_no_change_wherever_they_were_made() {
    let Some(place) = Place::new() else { return };
    let (code, verdict) = place.diff(&place.build("one", V1), &place.build("another", V1));
    assert_eq!((code, verdict["verdict"].as_str()), (Some(3), Some("no-change")), "{verdict:#}");
}

#[test]
fn one_body_is_one_function_and_equal_inputs_give_equal_bytes() {
    let Some(place) = Place::new() else { return };
    let (old, new) = (place.build("v1", V1), place.build("v2", &V1.replace("price * 2", "price * 3")));
    let (code, verdict) = place.diff(&old, &new);
    assert_eq!((code, list(&verdict, "update_set", "function")), (Some(0), vec!["price".to_owned()]), "{verdict:#}");
    let base = place.path("v1.dsubase");
    assert!(patchgen(&["base".as_ref(), &old, "-o".as_ref(), &base]).status.success());
    let (from_program, from_base) = (place.path("a.dsu"), place.path("b.dsu"));
    for (old, patch) in [(&old, &from_program), (&base, &from_base)] {
        let output = patchgen(&["build".as_ref(), old, &new, "-o".as_ref(), patch, "--name".as_ref(), "fix".as_ref()]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(fs::read(&from_program).expect("written"), fs::read(&from_base).expect("written"));
    let shown = patchgen(&["inspect".as_ref(), &from_program, "--json".as_ref()]);
    let shown: Value = serde_json::from_slice(&shown.stdout).expect("inspect --json prints JSON");
    assert_eq!(list(&shown, "update_set", "function"), ["price"]);
    // `calls` and `total` stay where they are, and the trampoline of the old `price` loads one of them, then goes on there:
    // these words of the patch are filled with addresses of the base.
    let mut referred = list(&shown, "relocations", "name");
    referred.sort();
    assert_eq!(referred, ["price", "price", "price.calls", "total"]);
}

#[test]
fn a_damaged_patch_is_noticed() {
    let Some(place) = Place::new() else { return };
    let (old, new) = (place.build("v1", V1), place.build("v2", &V1.replace("price * 2", "price * 3")));
    let patch = place.path("fix.dsu");
    assert!(patchgen(&["build".as_ref(), &old, &new, "-o".as_ref(), &patch]).status.success());
    let whole = fs::read(&patch).expect("written");
    for at in (0..whole.len()).step_by(whole.len() / 50) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&patch, &bytes).expect("writable");
        assert_eq!(patchgen(&["inspect".as_ref(), &patch]).status.code(), Some(1), "byte {at}");
    }
}

#[test]
fn every_unsafe_change_is_refused_with_its_reason() {
    let Some(place) = Place::new() else { return };
    let old = place.build("v1", V1);
    let escaping = V1.replace("int main", "int (*volatile hook)(struct item *) = price;\nint main");
    let cases = [
        ("data-changed", V1.replace("limit = 3", "limit = 4").replace("* 2", "* 3")),
        ("data-changed", V1.replace("int limit", "long limit")),
        (
            "new-tls",
            V1.replace("int limit", "__thread int seen;\nint limit").replace("total += ++calls", "seen += ++calls"),
        ),
        ("constructor", format!("{V1}__attribute__((constructor)) void early(void) {{ puts(\"early\"); }}\n")),
        ("file-asm-changed", format!("{V1}__asm__(\".globl marker\\nmarker = 1\");\n")),
        ("unresolved-symbol", V1.replace("return i->price * 2", "extern double cbrt(double); return cbrt(i->price)")),
        (
            "new-ifunc",
            format!(
                "{V1}static void *pick(void) {{ return twice; }}\nint chosen(int) __attribute__((ifunc(\"pick\")));\n"
            ),
        ),
    ];
    for (number, (reason, source)) in cases.into_iter().enumerate() {
        let new = if reason == "unresolved-symbol" {
            place.build_with_math(number, &source)
        } else {
            place.build(&format!("n{number}"), &source)
        };
        let (code, verdict) = place.diff(&old, &new);
        let reasons = list(&verdict, "refusals", "reason");
        assert!(code == Some(4) && reasons.iter().any(|r| r == reason), "{reason}: {verdict:#}");
    }
    let kept = V1.replace("static int total;", "static int total;\nstruct item *kept;");
    let kept = kept.replace("total += ++calls", "kept = i; total += ++calls");
    let swapped = kept.replace("int price, count", "int count, price");
    let (_, verdict) = place.diff(&place.build("k1", &kept), &place.build("k2", &swapped));
    assert_eq!(list(&verdict, "refusals", "reason"), ["layout-changed"], "{verdict:#}");
    assert!(list(&verdict["refusals"][0], "related", "name").contains(&"kept".to_owned()), "{verdict:#}");
    let (old, new) = (
        place.build("e1", &escaping),
        place.build(
            "e2",
            &escaping
                .replace("price(struct item *i)", "price(struct item *i, int n)")
                .replace("price * 2", "price * n")
                .replace("price(&i)", "price(&i, 2)")
                .replace("= price;", "= (void *)price;"),
        ),
    );
    let (_, verdict) = place.diff(&old, &new);
    assert!(list(&verdict, "refusals", "reason").contains(&"signature-escapes".to_owned()), "{verdict:#}");
}

impl Place {
    /// A build whose extra library the base does not load.
    fn build_with_math(&self, number: usize, source: &str) -> PathBuf {
        self.build_with(&format!("n{number}"), source, &["-O2", "-Wl,--no-as-needed", "-lm"])
    }
}

#[test]
fn a_new_signature_takes_its_callers_along() {
    let Some(place) = Place::new() else { return };
    let changed = V1
        .replace("twice(int n)", "twice(int n, int m)")
        .replace("n * limit", "n * limit * m")
        .replace("twice(argc)", "twice(argc, argc)");
    let (code, verdict) = place.diff(&place.build("v1", V1), &place.build("v2", &changed));
    let mut set = list(&verdict, "update_set", "function");
    set.sort();
    // The caller is `main`, which is called once: nothing of it would ever run (5).
    assert_eq!((code, set), (Some(5), vec!["main".to_owned(), "twice".to_owned()]), "{verdict:#}");
}

#[test]
fn a_changed_type_that_lives_on_stacks_alone_takes_along_who_is_handed_it() {
    let Some(place) = Place::new() else { return };
    let swapped = V1.replace("int price, count", "int count, price");
    let (code, verdict) = place.diff(&place.build("v1", V1), &place.build("v2", &swapped));
    let mut set = list(&verdict, "update_set", "function");
    set.sort();
    assert_eq!((code, set), (Some(5), vec!["main".to_owned(), "price".to_owned()]), "{verdict:#}");
}

#[test]
fn bitcode_of_another_llvm_is_told_from_damage() {
    let Some(place) = Place::new() else { return };
    let (old, new) = (place.build("v1", V1), place.build("v2", &V1.replace("price * 2", "price * 3")));
    let mut base = patchgen::build::Build::read(&old).expect("just built");
    let mut bitcode = base.units[0].bitcode().expect("whole");
    // The identification block names the producer, and an epoch that every incompatible change raises.
    let name = bitcode.windows(4).position(|w| w == b"LLVM").unwrap_or(8);
    bitcode[name..name + 40].fill(0xff);
    base.units[0].bitcode_size = bitcode.len() as u64;
    base.units[0].bitcode = zstd::bulk::compress(&bitcode, 3).expect("compresses");
    let file = place.path("foreign.dsubase");
    fs::write(&file, base.to_container().expect("encodes")).expect("writable");
    let output = patchgen(&["diff".as_ref(), &file, &new]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(4) && said.trim_end().ends_with("[foreign-bitcode]"), "{said}");
}

#[test]
fn input_that_cannot_be_used_is_one_line_and_an_exit_code() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let file = |name: &str, content: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, content).expect("writable");
        path
    };
    let own = fs::read(env!("CARGO_BIN_EXE_patchgen")).expect("readable");
    let cases = [
        (directory.path().to_path_buf(), "is-directory"),
        (directory.path().join("nothing"), "unreadable"),
        (file("empty", b""), "not-a-build"),
        (file("text", b"int main;"), "not-a-build"),
        (file("bitcode", b"BC\xc0\xde1234"), "lto-object"),
        (file("archive", b"!<arch>\n"), "not-linked"),
        (file("plain", &own), "not-instrumented"),
        (file("short", &own[..own.len() / 2]), "damaged"),
        (file("header", &own[..40]), "damaged"),
        (file("newer.dsubase", b"DSUBASE\0\x09\0\0\0"), "unknown-version"),
    ];
    for (path, reason) in cases {
        let output = patchgen(&["diff".as_ref(), &path, &path]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let one_line = said.lines().count() == 1 && said.contains(&*path.to_string_lossy());
        assert!(one_line && said.trim_end().ends_with(&format!("[{reason}]")), "{reason}: {said}");
        let refused = ["lto-object", "not-linked", "not-instrumented"].contains(&reason);
        assert_eq!(output.status.code(), Some(if refused { 4 } else { 1 }), "{said}");
    }
}
