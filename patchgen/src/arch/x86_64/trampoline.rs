//! A way into the base's version of a function while its entry is armed: the instruction that arming overwrote,
//! done again in the patch object, then a jump behind it.

use dsu_abi::stub::{self, Dispatch};
use iced_x86::{Decoder, DecoderOptions, Encoder, FlowControl, Instruction, Mnemonic, OpKind, Register};

/// Bytes that arming overwrites.
const ARMED: u64 = 2;

/// How to get into the base's version without its entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Way {
    /// Where `r11` must point at first: the operand of an instruction that was addressed relative to its place.
    pub operand: Option<u64>,
    /// The overwritten instruction, as it runs in the patch object.
    pub code: Vec<u8>,
    /// How far it moved the stack pointer down.
    pub pushed: i64,
    /// Where the base goes on; none when the instruction left by itself.
    pub next: Option<u64>,
}

/// Finds the way into the function at `entry`, whose text starts with `code`; the error says why there is none.
pub fn way(entry: u64, dispatch: Dispatch, code: &[u8]) -> Result<Way, &'static str> {
    let arm = u64::from(stub::arm_offset(code));
    if dispatch == Dispatch::Always {
        return Ok(Way { next: Some(entry + arm + stub::JMP_SIZE), ..Way::default() });
    }
    let rest = code.get(arm as usize..).unwrap_or_default();
    let instruction = Decoder::with_ip(64, rest, entry + arm, DecoderOptions::NONE).decode();
    if instruction.is_invalid() || (instruction.len() as u64) < ARMED {
        return Err("its first instruction in the base is not understood");
    }
    let bytes = rest.get(..instruction.len()).unwrap_or_default();
    let next = Some(instruction.next_ip());
    match instruction.flow_control() {
        FlowControl::UnconditionalBranch => jump(&instruction),
        FlowControl::IndirectBranch => Ok(Way { next: None, ..straight(&instruction, bytes)? }),
        FlowControl::Next => Ok(Way { next, ..straight(&instruction, bytes)? }),
        FlowControl::Return => Ok(Way { code: bytes.to_vec(), ..Way::default() }),
        FlowControl::Call | FlowControl::IndirectCall => Err("it begins with a call in the base"),
        FlowControl::ConditionalBranch => Err("it begins with a conditional jump in the base"),
        _ => Err("it begins with an instruction in the base that cannot be moved"),
    }
}

fn jump(instruction: &Instruction) -> Result<Way, &'static str> {
    let target = instruction.near_branch_target();
    let (from, to) = (instruction.ip(), instruction.next_ip());
    match instruction.op0_kind() {
        OpKind::NearBranch64 if !(from..to).contains(&target) => Ok(Way { next: Some(target), ..Way::default() }),
        _ => Err("it begins with a jump in the base that cannot be moved"),
    }
}

/// An instruction that means the same wherever it stands, once a place-relative operand goes through `r11`.
fn straight(instruction: &Instruction, bytes: &[u8]) -> Result<Way, &'static str> {
    let pushed = pushed(instruction)?;
    if !instruction.is_ip_rel_memory_operand() {
        return Ok(Way { code: bytes.to_vec(), pushed, ..Way::default() });
    }
    let uses_r11 = (0..instruction.op_count()).any(|i| instruction.op_register(i).full_register() == Register::R11);
    if uses_r11 || instruction.segment_prefix() != Register::None {
        return Err("its first instruction in the base cannot be moved: it has a place-relative operand and needs r11");
    }
    let mut moved = *instruction;
    moved.set_memory_base(Register::R11);
    moved.set_memory_displacement64(0);
    moved.set_memory_displ_size(0);
    let mut encoder = Encoder::new(64);
    encoder
        .encode(&moved, 0)
        .map_err(|_| "its first instruction in the base cannot be moved: its operands exclude r11")?;
    Ok(Way { operand: Some(instruction.ip_rel_memory_address()), code: encoder.take_buffer(), pushed, next: None })
}

/// How far the stack pointer moves down, for unwinding.
fn pushed(instruction: &Instruction) -> Result<i64, &'static str> {
    let writes_stack_pointer = instruction.op_count() > 0
        && instruction.op0_kind() == OpKind::Register
        && instruction.op0_register().full_register() == Register::RSP;
    match instruction.mnemonic() {
        Mnemonic::Sub if writes_stack_pointer && instruction.try_immediate(1).is_ok() => {
            Ok(instruction.immediate(1) as i64)
        }
        Mnemonic::Push => Ok(-i64::from(instruction.stack_pointer_increment())),
        _ if writes_stack_pointer || instruction.stack_pointer_increment() != 0 => {
            Err("its first instruction in the base moves the stack pointer in a way that is not understood")
        }
        _ => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: u64 = 0x1130;

    fn armed(code: &[u8]) -> Result<Way, &'static str> {
        let mut text = code.to_vec();
        text.resize(24, 0x90);
        way(ENTRY, Dispatch::Armed, &text)
    }

    fn plain(code: &[u8], pushed: i64) -> Result<Way, &'static str> {
        let (code, next) = (code.to_vec(), Some(ENTRY + code.len() as u64));
        Ok(Way { code, pushed, next, ..Way::default() })
    }

    #[test]
    fn what_does_not_depend_on_its_place_is_copied() {
        let xchg_nop = [0x66, 0x90];
        assert_eq!(armed(&xchg_nop), plain(&xchg_nop, 0));
        let push_r15 = [0x41, 0x57];
        assert_eq!(armed(&push_r15), plain(&push_r15, 8));
        let sub_rsp_0x18 = [0x48, 0x83, 0xec, 0x18];
        assert_eq!(armed(&sub_rsp_0x18), plain(&sub_rsp_0x18, 0x18));
        let sub_rsp_0x1038 = [0x48, 0x81, 0xec, 0x38, 0x10, 0, 0];
        assert_eq!(armed(&sub_rsp_0x1038), plain(&sub_rsp_0x1038, 0x1038));
        let mov_canary = [0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0];
        assert_eq!(armed(&mov_canary), plain(&mov_canary, 0));
        let mov_imm64 = [0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(armed(&mov_imm64), plain(&mov_imm64, 0));
    }

    #[test]
    fn place_relative_operands_go_through_r11() {
        let cases: [(&[u8], &[u8]); 5] = [
            // mov 0x10(%rip), %eax
            (&[0x8b, 0x05, 0x10, 0, 0, 0], &[0x41, 0x8b, 0x03]),
            // mov %rdi, 0x10(%rip)
            (&[0x48, 0x89, 0x3d, 0x10, 0, 0, 0], &[0x49, 0x89, 0x3b]),
            // cmpl $7, 0x10(%rip): the immediate stands behind the displacement
            (&[0x83, 0x3d, 0x10, 0, 0, 0, 7], &[0x41, 0x83, 0x3b, 7]),
            // lea 0x10(%rip), %rax
            (&[0x48, 0x8d, 0x05, 0x10, 0, 0, 0], &[0x49, 0x8d, 0x03]),
            // movsd 0x10(%rip), %xmm0
            (&[0xf2, 0x0f, 0x10, 0x05, 0x10, 0, 0, 0], &[0xf2, 0x41, 0x0f, 0x10, 0x03]),
        ];
        for (code, moved) in cases {
            let end = ENTRY + code.len() as u64;
            let expected = Way { operand: Some(end + 0x10), code: moved.to_vec(), pushed: 0, next: Some(end) };
            assert_eq!(armed(code), Ok(expected), "{code:x?}");
        }
    }

    #[test]
    fn tail_calls_leave() {
        // jmp rel32, jmp rel8, jmp *0x10(%rip), jmp *%rax
        assert_eq!(armed(&[0xe9, 0, 1, 0, 0]), Ok(Way { next: Some(ENTRY + 0x105), ..Way::default() }));
        assert_eq!(armed(&[0xeb, 0x20]), Ok(Way { next: Some(ENTRY + 0x22), ..Way::default() }));
        let through_word = Way { operand: Some(ENTRY + 0x16), code: vec![0x41, 0xff, 0x23], ..Way::default() };
        assert_eq!(armed(&[0xff, 0x25, 0x10, 0, 0, 0]), Ok(through_word));
        assert_eq!(armed(&[0xff, 0xe0]), Ok(Way { code: vec![0xff, 0xe0], ..Way::default() }));
        // repz ret
        assert_eq!(armed(&[0xf3, 0xc3]), Ok(Way { code: vec![0xf3, 0xc3], ..Way::default() }));
    }

    #[test]
    fn endbr64_is_not_what_was_overwritten() {
        let mut code = stub::ENDBR64.to_vec();
        code.extend([0x41, 0x56]);
        assert_eq!(
            armed(&code),
            Ok(Way { code: vec![0x41, 0x56], pushed: 8, next: Some(ENTRY + 6), ..Way::default() })
        );
    }

    #[test]
    fn an_entry_that_always_jumps_goes_on_behind_its_jump() {
        let mut code = vec![0xff, 0x25, 0, 1, 0, 0];
        assert_eq!(way(ENTRY, Dispatch::Always, &code), Ok(Way { next: Some(ENTRY + 6), ..Way::default() }));
        code.splice(0..0, stub::ENDBR64);
        assert_eq!(way(ENTRY, Dispatch::Always, &code), Ok(Way { next: Some(ENTRY + 10), ..Way::default() }));
    }

    #[test]
    fn what_cannot_be_moved_has_no_way() {
        let cases: [&[u8]; 9] = [
            &[0xe8, 0, 0, 0, 0],             // call rel32: it would return into the patch
            &[0xff, 0xd0],                   // call *%rax
            &[0x74, 0x10],                   // je
            &[0xeb, 0xfe],                   // jmp to itself
            &[0x4c, 0x8b, 0x1d, 0, 0, 0, 0], // mov 0(%rip), %r11
            &[0x8a, 0x25, 0x10, 0, 0, 0],    // mov 0x10(%rip), %ah: no REX prefix possible
            &[0x48, 0x83, 0xe4, 0xe0],       // and $-32, %rsp
            &[0x0f, 0x05],                   // syscall
            &[0x55],                         // push %rbp, one byte: not what the base promises
        ];
        for code in cases {
            assert!(armed(code).is_err(), "{code:x?}");
        }
        assert!(way(ENTRY, Dispatch::Armed, &[]).is_err());
        assert!(way(ENTRY, Dispatch::Armed, &[0x48]).is_err(), "cut short");
    }
}
