//! Assembly of a patch object: dispatch stubs, original-code trampolines, and what says what the code is fit for.

use std::fmt::Write;

use dsu_abi::patch::control;

use super::Trampoline;

/// Symbol of the control block.
pub const CONTROL: &str = "__dsu_control";

/// A name as the assembler takes it, whatever is in it.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Says what the code is fit for, so that the linker does not take it away from the rest: a shadow stack always,
/// branch tracking where each piece begins with `endbr64`.
pub fn properties(tracked: bool) -> String {
    let features = if tracked { 3 } else { 2 };
    format!(
        "\t.section .note.gnu.property,\"a\",@note\n\t.p2align 3\n\t.long 4, 16, 5\n\t.asciz \"GNU\"\n\
         \t.long 0xc0000002, 4, {features}, 0\n"
    )
}

/// One function of the unit.
pub fn function(text: &mut String, symbol: &str, endbr: bool, lines: &str) {
    let name = quoted(symbol);
    let _ = writeln!(text, "\t.p2align 4\n\t.hidden {name}\n\t.globl {name}\n\t.type {name},@function\n{name}:");
    let first = if endbr { "\tendbr64\n" } else { "" };
    let _ = writeln!(text, "\t.cfi_startproc\n{first}{lines}\t.cfi_endproc\n\t.size {name},.-{name}");
}

/// See [`control`]: to the newer or the older version, as the calling thread stands.
pub fn dispatch_stub(index: u64) -> String {
    let at = |offset: u64| format!("{CONTROL}+{offset}(%rip)");
    let first = control::FUNCTIONS + index * control::FUNCTION_SIZE;
    let (second, gate) = (first + 8, control::GATE);
    format!(
        "\tmovq {}, %r11\n\tmovq %fs:(%r11), %r11\n\tmovq (%r11), %r11\n\ttestq %r11, %r11\n\tjs 2f\n\
         \tcmpl {}, %r11d\n\tjs 1f\n\tjmpq *{}\n1:\tjmpq *{}\n2:\tleaq {}, %r11\n\tjmpq *{}\n",
        at(control::THREAD),
        at(control::GENERATION),
        at(second),
        at(first),
        at(first),
        at(gate)
    )
}

/// The places of a function's first arguments.
const ARGUMENTS: [&str; 4] = ["%edi", "%esi", "%edx", "%ecx"];

/// Goes on in `target` with one more argument: the address that a symbol of the base has, or 0. It is the argument number
/// `module`, and those from `arguments` on that stand before it are 0.
pub fn on_behalf_of(target: &str, arguments: usize, module: usize, base: Option<&str>) -> String {
    let mut lines = String::new();
    for place in ARGUMENTS.get(arguments..=module).unwrap_or_default() {
        let _ = writeln!(lines, "\txorl {place}, {place}");
    }
    if let (Some(base), Some(place)) = (base, ARGUMENTS.get(module)) {
        let _ = writeln!(lines, "\tmovq {}@GOTPCREL(%rip), {}", quoted(base), place.replace('e', "r"));
    }
    let _ = writeln!(lines, "\tjmpq *{target}@GOTPCREL(%rip)");
    lines
}

/// The code of an original-code trampoline; `word` gives the name of a word that holds an address of the base.
pub fn into_base(trampoline: &Trampoline, endbr: bool, word: &mut impl FnMut(&str, u64) -> String) -> String {
    let mut lines = String::new();
    if let Some(operand) = trampoline.operand {
        let _ = writeln!(lines, "\tmovq {}(%rip), %r11", word("operand", operand));
    }
    if !trampoline.code.is_empty() {
        let bytes: Vec<String> = trampoline.code.iter().map(|b| format!("{b:#04x}")).collect();
        let _ = writeln!(lines, "\t.byte {}", bytes.join(","));
    }
    if trampoline.pushed != 0 {
        let _ = writeln!(lines, "\t.cfi_adjust_cfa_offset {}", trampoline.pushed);
    }
    if let Some(next) = trampoline.next {
        // Where the base goes on, behind its first instruction, no endbr64 can stand.
        let prefix = if endbr { "notrack " } else { "" };
        let _ = writeln!(lines, "\t{prefix}jmpq *{}(%rip)", word("next", next));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_function_stand_in_table_order() {
        let third = dispatch_stub(2);
        let first = control::FUNCTIONS + 2 * control::FUNCTION_SIZE;
        let jumps = format!("jmpq *{CONTROL}+{}(%rip)\n1:\tjmpq *{CONTROL}+{first}(%rip)", first + 8);
        assert!(third.contains(&jumps));
        assert!(third.contains(&format!("leaq {CONTROL}+{first}(%rip), %r11")));
    }

    #[test]
    fn a_registrar_says_on_whose_behalf_it_calls() {
        let lines = on_behalf_of("__cxa_atexit", 1, 2, Some("base"));
        let expected = "\txorl %esi, %esi\n\txorl %edx, %edx\n\tmovq \"base\"@GOTPCREL(%rip), %rdx\n\
                        \tjmpq *__cxa_atexit@GOTPCREL(%rip)\n";
        assert_eq!(lines, expected);
        assert!(on_behalf_of("__register_atfork", 3, 3, Some("base")).contains("(%rip), %rcx"));
        assert!(!on_behalf_of("__cxa_at_quick_exit", 1, 1, None).contains("base"));
    }

    #[test]
    fn a_trampoline_sets_up_its_operand_first_and_leaves_last() {
        let trampoline =
            Trampoline { operand: Some(0x4010), code: vec![0x41, 0x8b, 0x03], pushed: 0, next: Some(0x1136) };
        let mut words = Vec::new();
        let lines = into_base(&trampoline, false, &mut |label, address| {
            words.push(address);
            label.to_owned()
        });
        assert_eq!(lines, "\tmovq operand(%rip), %r11\n\t.byte 0x41,0x8b,0x03\n\tjmpq *next(%rip)\n");
        assert_eq!(words, [0x4010, 0x1136]);
        let leaves = Trampoline { next: None, code: vec![0xff, 0xe0], ..Trampoline::default() };
        assert!(!into_base(&leaves, true, &mut |_, _| String::new()).contains("jmpq"));
    }
}
