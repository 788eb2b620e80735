//! What patch objects carry for switching thread by thread: read back from real patches.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::{Place, patchgen};
use dsu_abi::patch::{self, FUNCTION_STAYS, PATCH_ESCAPES, PatchFunction, PatchRelocation, RelocationKind, control};
use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, Register};
use object::{Object, ObjectSection, ObjectSymbol};

const V1: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
long volatile total; static long volatile local = 4;
long (*volatile hook)(long);
__attribute__((noinline)) long load(void) { return total - 100; }
__attribute__((noinline)) void store(long n) { total = n - 100; }
__attribute__((noinline)) int compare(int n) { if (local == 77) return n - 100; return n - 101; }
__attribute__((noinline)) long pushes(long n) { long a = load(), b = load(); return a + b * n - 100; }
__attribute__((noinline)) long jumps(long n) { return strtol("100", NULL, (int)n); }
__attribute__((noinline, noreturn)) void stays(void) { for (;;) { total -= 100; usleep(10); } }
int main(int argc, char **argv) {
    store(argc);
    if (argc > 7) stays();
    printf("%ld %d %ld %ld\n", load(), compare(argc), pushes(argc), jumps(10));
    return 0;
}
"#;

const NAMES: [&str; 6] = ["compare", "jumps", "load", "pushes", "stays", "store"];

/// A patch from V1 to what `change` makes of it, and the base.
fn patch(place: &Place, arguments: &[&str], change: impl Fn(&str) -> String) -> (Vec<u8>, PathBuf) {
    let old = place.build_with("v1", V1, arguments);
    let new = place.build_with("v2", &change(V1), arguments);
    let patch = place.path("fix.dsu");
    let output = patchgen(&["build".as_ref(), &old, &new, "-o".as_ref(), &patch]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (fs::read(patch).expect("written"), old)
}

fn all_changed(source: &str) -> String {
    source.replace("100", "200")
}

fn tables(bytes: &[u8]) -> (Vec<PatchFunction<'_>>, Vec<PatchRelocation<'_>>, patch::Patch<'_>) {
    let range = object::File::parse(bytes).expect("ELF").section_by_name(patch::SECTION).and_then(|s| s.file_range());
    let (at, size) = range.expect("the section is there");
    let read = patch::parse(&bytes[at as usize..(at + size) as usize]).expect("tables");
    let functions = read.functions().collect::<Result<_, _>>().expect("functions");
    (functions, read.relocations().collect::<Result<_, _>>().expect("relocations"), read)
}

/// The first `count` instructions at an address.
fn code(bytes: &[u8], address: u64, count: usize) -> Vec<Instruction> {
    let file = object::File::parse(bytes).expect("ELF");
    let section =
        file.sections().find(|s| (s.address()..s.address() + s.size()).contains(&address) && s.address() != 0);
    let section = section.expect("inside a section");
    let data = &section.data().expect("readable")[(address - section.address()) as usize..];
    Decoder::with_ip(64, data, address, DecoderOptions::NONE).into_iter().take(count).collect()
}

/// Address and size of a symbol.
fn symbol(file: &[u8], name: &str) -> (u64, u64) {
    let file = object::File::parse(file).expect("ELF");
    let found = file.symbols().find(|s| s.name() == Ok(name));
    found.map(|s| (s.address(), s.size())).unwrap_or_else(|| panic!("no symbol `{name}`"))
}

#[test]
fn every_redirected_function_has_its_table_entry_filled_in() {
    let Some(place) = Place::new() else { return };
    let (bytes, base) = patch(&place, &["-O2"], all_changed);
    let base = fs::read(base).expect("readable");
    let (functions, _, _) = tables(&bytes);
    assert_eq!(functions.iter().map(|f| f.name).collect::<Vec<_>>(), NAMES);
    for f in &functions {
        let (entry, size) = symbol(&base, f.name);
        assert_eq!((f.entry, u64::from(f.size)), (entry, size), "{}", f.name);
        let line = V1.lines().position(|l| l.contains(&format!(" {}(", f.name)) && l.contains("noinline"));
        assert_eq!(f.line, line.expect("defined there") as u32 + 1, "{}", f.name);
        assert_eq!(f.flags == FUNCTION_STAYS, f.name == "stays", "{}", f.name);
        // Debuggers and profilers can name both.
        let named = |ending: &str| {
            let file = object::File::parse(&*bytes).expect("ELF");
            let found = file
                .symbols()
                .find(|s| s.name().is_ok_and(|n| n.starts_with(f.name) && n.ends_with(ending)) && s.size() != 0);
            found.map(|s| s.address())
        };
        assert_eq!((named(".transition"), named(".old")), (Some(f.stub), Some(f.old)), "{}", f.name);
    }
}

#[test]
fn stubs_read_the_control_block_with_r11_alone() {
    let Some(place) = Place::new() else { return };
    let (bytes, _) = patch(&place, &["-O2"], all_changed);
    let (functions, _, header) = tables(&bytes);
    let (block, size) = symbol(&bytes, "__dsu_control");
    assert_eq!((header.control, header.control % 8), (block, 0));
    assert_eq!(size, control::FUNCTIONS + functions.len() as u64 * control::FUNCTION_SIZE);
    for (index, f) in functions.iter().enumerate() {
        let first = block + control::FUNCTIONS + index as u64 * control::FUNCTION_SIZE;
        let stub = code(&bytes, f.stub, 11);
        let mnemonics: Vec<Mnemonic> = stub.iter().map(Instruction::mnemonic).collect();
        use Mnemonic::{Cmp, Jmp, Js, Lea, Mov, Test};
        assert_eq!(mnemonics, [Mov, Mov, Mov, Test, Js, Cmp, Js, Jmp, Jmp, Lea, Jmp]);
        let operand = |at: usize| stub[at].ip_rel_memory_address();
        assert_eq!([operand(0), operand(5)], [block + control::THREAD, block + control::GENERATION]);
        assert_eq!([operand(7), operand(8), operand(9)], [first + 8, first, first]);
        assert_eq!(operand(10), block + control::GATE);
        assert_eq!((stub[1].segment_prefix(), stub[1].memory_base()), (Register::FS, Register::R11));
        assert_eq!((stub[4].near_branch_target(), stub[6].near_branch_target()), (stub[9].ip(), stub[8].ip()));
        assert_eq!((stub[5].op0_register(), stub[9].op0_register()), (Register::R11D, Register::R11));
    }
}

/// Where the words that a trampoline reads lead in the base.
fn word(relocations: &[PatchRelocation<'_>], at: u64) -> u64 {
    let found = relocations.iter().find(|r| r.offset == at).expect("the word is relocated");
    found.value.wrapping_add_signed(found.addend)
}

#[test]
fn trampolines_do_what_arming_overwrote_and_go_on_behind_it() {
    let Some(place) = Place::new() else { return };
    let (bytes, base) = patch(&place, &["-O2"], all_changed);
    let base = fs::read(base).expect("readable");
    let (functions, relocations, _) = tables(&bytes);
    let mut through_r11 = 0;
    for f in &functions {
        let first = code(&base, f.entry, 1)[0];
        let mut way = code(&bytes, f.old, 3).into_iter();
        let mut next = || way.next().expect("goes on");
        let mut moved = next();
        if first.is_ip_rel_memory_operand() {
            assert_eq!((moved.mnemonic(), moved.op0_register()), (Mnemonic::Mov, Register::R11), "{}", f.name);
            assert_eq!(word(&relocations, moved.ip_rel_memory_address()), first.ip_rel_memory_address(), "{}", f.name);
            moved = next();
            assert_eq!(moved.memory_base(), Register::R11, "{}", f.name);
            through_r11 += 1;
        }
        assert_eq!((moved.mnemonic(), moved.op_count()), (first.mnemonic(), first.op_count()), "{}", f.name);
        let jump = next();
        assert_eq!(jump.mnemonic(), Mnemonic::Jmp, "{}", f.name);
        assert_eq!(word(&relocations, jump.ip_rel_memory_address()), first.next_ip(), "{}", f.name);
    }
    assert!(through_r11 >= 1, "the program has an entry that loads a variable");
}

#[test]
fn branch_tracking_and_the_other_dispatch_are_respected() {
    let Some(place) = Place::new() else { return };
    let arguments = ["-O2", "-fcf-protection=full", "--dsu-dispatch=always"];
    let (bytes, base) = patch(&place, &arguments, all_changed);
    let base = fs::read(base).expect("readable");
    let (functions, relocations, _) = tables(&bytes);
    for f in &functions {
        for address in [f.stub, f.old, f.body, f.entry] {
            let file = if address == f.entry { &base } else { &bytes };
            assert_eq!(code(file, address, 1)[0].mnemonic(), Mnemonic::Endbr64, "{}", f.name);
        }
        // Behind endbr64 and the jump through the slot.
        let jump = code(&bytes, f.old, 2)[1];
        assert_eq!(word(&relocations, jump.ip_rel_memory_address()), f.entry + 4 + 6, "{}", f.name);
    }
    // Linked code keeps the promise only if every part makes it.
    let file = object::File::parse(&*bytes).expect("ELF");
    let note = file.section_by_name(".note.gnu.property").expect("kept").data().expect("readable").to_vec();
    let features: Vec<u8> = 0xc000_0002u32.to_le_bytes().into_iter().chain([4, 0, 0, 0, 3]).collect();
    assert!(note.windows(features.len()).any(|w| w == features), "{note:x?}");
}

#[test]
fn an_address_that_escapes_is_told_from_a_call() {
    let Some(place) = Place::new() else { return };
    let helper = "__attribute__((noinline)) static long helper(long n) { return n * 3 + total; }\nint main";
    let with = |body: &str| V1.replace("int main", helper).replace("return total - 100;", body);
    for (body, escapes) in [("return helper(total);", false), ("hook = helper; return total;", true)] {
        // `helper` must stand before its user.
        let source = with(body)
            .replace("long (*volatile hook)(long);", "long (*volatile hook)(long); static long helper(long);");
        let (bytes, _) = patch(&place, &["-O2"], |_| source.clone());
        let (functions, _, header) = tables(&bytes);
        assert_eq!(functions.iter().map(|f| f.name).collect::<Vec<_>>(), ["load"]);
        assert_eq!(header.flags & PATCH_ESCAPES != 0, escapes, "{body}");
    }
}

#[test]
fn inspect_shows_what_the_tables_hold() {
    let Some(place) = Place::new() else { return };
    let (bytes, _) = patch(&place, &["-O2"], all_changed);
    let (functions, _, header) = tables(&bytes);
    let shown = patchgen(&["inspect".as_ref(), &place.path("fix.dsu"), "--json".as_ref()]);
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!((shown["control"].as_u64(), shown["escapes"].as_bool()), (Some(header.control), Some(false)));
    for (f, shown) in functions.iter().zip(shown["redirects"].as_array().expect("a list")) {
        assert_eq!(shown["name"], f.name);
        assert_eq!((shown["old"].as_u64(), shown["stub"].as_u64()), (Some(f.old), Some(f.stub)));
        assert_eq!(
            (shown["old_size"].as_u64(), shown["old_line"].as_u64()),
            (Some(f.size.into()), Some(f.line.into()))
        );
        assert_eq!(shown["stays"].as_bool(), Some(f.name == "stays"));
    }
    let text = patchgen(&["inspect".as_ref(), &place.path("fix.dsu")]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("the change in `stays` takes effect where it is called again"), "{text}");
}

#[test]
fn variables_the_patch_adds_are_reached_through_words_alone() {
    let Some(place) = Place::new() else { return };
    let counting = |kind: &str| {
        let counters = format!(
            "struct seen {{ {kind} count; long *last; }}; struct seen seen; static long first = 7; long *where = &first;"
        );
        let source = V1.replace("long (*volatile hook)(long);", &format!("{counters} long (*volatile hook)(long);"));
        source
            .replace(
                "return total - 100;",
                "static int calls; seen.count++; seen.last = &first; return total + ++calls;",
            )
            .replace("total = n - 100;", "seen.count += 2; total = n + *where;")
    };
    let (bytes, _) = patch(&place, &["-O2"], |_| counting("long"));
    let (functions, relocations, header) = tables(&bytes);
    assert_eq!(functions.iter().map(|f| f.name).collect::<Vec<_>>(), ["load", "store"]);
    let carried: Vec<_> = header.carried().collect::<Result<_, _>>().expect("variables");
    let mut names: Vec<_> = carried.iter().map(|c| (c.name, c.size)).collect();
    names.sort_unstable();
    assert_eq!(names, [("first", 8), ("load.calls", 4), ("seen", 16), ("where", 8)]);
    // Each is the target of at least one word, the one that `where` begins with included.
    let words = || relocations.iter().filter(|r| r.kind == RelocationKind::Carried);
    for (number, variable) in carried.iter().enumerate() {
        assert!(words().any(|r| r.value == number as u64 && r.name == variable.name), "{}", variable.name);
    }
    let at = |name: &str| carried.iter().find(|c| c.name == name).map(|c| c.address).expect("carried");
    assert!(words().any(|r| r.offset == at("where") && r.name == "first"));
    // No instruction reaches one directly.
    let file = object::File::parse(&*bytes).expect("ELF");
    let text = file.section_by_name(".text").expect("code");
    let decoder = Decoder::with_ip(64, text.data().expect("readable"), text.address(), DecoderOptions::NONE);
    let inside = |address: u64| carried.iter().any(|c| (c.address..c.address + c.size).contains(&address));
    for instruction in decoder {
        let direct = instruction.is_ip_rel_memory_operand() && inside(instruction.ip_rel_memory_address());
        assert!(!direct, "at {:#x}", instruction.ip());
    }
    // The same variables in another patch are the same; of another type they are not.
    let identities = |bytes: &[u8]| {
        let (.., header) = tables(bytes);
        header.carried().map(|c| c.expect("read before")).map(|c| (c.name.to_owned(), (c.identity, c.shape))).collect()
    };
    let before: BTreeMap<String, (u64, u64)> = identities(&bytes);
    let (same, _) = patch(&place, &["-O2"], |_| counting("long").replace("+= 2", "+= 3"));
    assert_eq!(identities(&same), before);
    let (other, _) = patch(&place, &["-O2"], |_| counting("double"));
    let after = identities(&other);
    assert_eq!(after["seen"].0, before["seen"].0);
    assert_ne!(after["seen"].1, before["seen"].1);
    assert_eq!(after["first"], before["first"]);
}

#[test]
fn every_function_is_replaced_and_no_variable_is_doubled() {
    let Some(place) = Place::new() else { return };
    let (app, same) = (place.build_with("v1", V1, &["-O2"]), place.path("same.dsu"));
    let output = patchgen(&["build".as_ref(), "--all-functions".as_ref(), &app, "-o".as_ref(), &same]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("replace   7 functions by copies of themselves"), "{said}");
    let bytes = fs::read(same).expect("written");
    let (functions, relocations, header) = tables(&bytes);
    let mut names: Vec<_> = functions.iter().map(|f| f.name).collect();
    names.sort_unstable();
    let mut expected = NAMES.to_vec();
    expected.push("main");
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!(header.carried_count(), 0);
    for variable in ["total", "local"] {
        assert!(relocations.iter().any(|r| r.name == variable), "{variable} stays in the base");
    }
}

/// Two functions of which one calls the other, one that stands alone, and a function with a convention of its own.
const CONNECTED: &str = r#"
#include <dsu.h>
#include <stdio.h>
int volatile sink;
__attribute__((noinline)) int inner(int n) { sink = n + 1; return n * 100; }
__attribute__((noinline)) int outer(int n) { sink = n + 2; return inner(n) + 300; }
__attribute__((noinline)) int alone(int n) { sink = n + 3; return n * 500; }
__attribute__((noinline, regcall)) int own(int n) { sink = n + 4; return inner(n) + 700; }
int main(int argc, char **argv) {
    for (int i = 0; i < argc; i++) { POINT; printf("%d %d %d\n", outer(i), alone(i), own(i)); }
    return 0;
}
"#;

/// Exit code, what was said, and the consistency in the header of the patch that came out.
fn chosen(place: &Place, change: &[(&str, &str)], point: bool, more: &[&str]) -> (Option<i32>, String, Option<u8>) {
    let point = if point { "DSU_QUIESCENCE_POINT()" } else { "" };
    let v1 = CONNECTED.replace("POINT", point);
    let v2 = change.iter().fold(v1.clone(), |source, (old, new)| source.replace(old, new));
    let arguments = ["-O2", concat!("-I", env!("CARGO_MANIFEST_DIR"), "/../runtime/include")];
    let (old, new) = (place.build_with("c1", &v1, &arguments), place.build_with("c2", &v2, &arguments));
    let patch = place.path("chosen.dsu");
    // What an earlier call left behind is no result of this one.
    drop(fs::remove_file(&patch));
    let mut words: Vec<&Path> = vec!["build".as_ref(), old.as_path(), new.as_path(), "-o".as_ref(), patch.as_path()];
    words.extend(more.iter().map(Path::new));
    let output = patchgen(&words);
    let said = [output.stdout, output.stderr].concat();
    let header = fs::read(&patch).ok().map(|bytes| tables(&bytes).2.consistency as u8);
    (output.status.code(), String::from_utf8_lossy(&said).into_owned(), header)
}

/// Edits, whether the base has points, options, expected consistency, and a fragment of the reason.
type ChoiceCase<'c> = (&'c [(&'c str, &'c str)], bool, &'c [&'c str], Option<u8>, &'c str);

#[test]
fn the_default_consistency_follows_from_what_changes_together() {
    let Some(place) = Place::new() else { return };
    let (newest, thread) = (Some(0), Some(1));
    let both = [("100", "101"), ("300", "301")];
    let cases: [ChoiceCase<'_>; 6] = [
        (&[("100", "101")], true, &[], newest, "consistency newest, because `inner` alone changes"),
        (&both, true, &[], thread, "consistency thread, because `outer` calls `inner` and both change"),
        (&both, true, &["--consistency", "newest"], newest, "consistency newest, because it was asked for"),
        (&both, false, &[], newest, "no quiescence point to switch at, although `outer` calls `inner`"),
        (&[("100", "101"), ("500", "501")], true, &[], newest, "neither call each other nor share what is new"),
        (
            &[("int volatile sink;", "int volatile sink; int added;"), ("n * 100", "n * added"), ("500", "added++")],
            true,
            &[],
            thread,
            "`alone` and `inner` both use `added`",
        ),
    ];
    for (change, point, more, expected, fragment) in cases {
        let (code, said, header) = chosen(&place, change, point, more);
        assert_eq!((code, header), (Some(0), expected), "{said}");
        assert!(said.contains(fragment), "{fragment}: {said}");
    }
}

#[test]
fn what_threads_cannot_switch_is_refused_unless_newest_is_asked_for() {
    let Some(place) = Place::new() else { return };
    let change = [("100", "101"), ("700", "701")];
    let (code, said, header) = chosen(&place, &change, true, &[]);
    assert_eq!((code, header), (Some(4), None), "{said}");
    assert!(said.contains("own`: cannot be switched thread by thread") && said.contains("[not-by-thread]"), "{said}");
    let (code, said, header) = chosen(&place, &change, true, &["--consistency", "newest"]);
    assert_eq!((code, header), (Some(0), Some(0)), "{said}");
}
