//! One instruction as the audit sees it: what it does, apart from the addresses in it.

use iced_x86::{Code, ConstantOffsets, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register};

/// Longest instruction.
const LONGEST: usize = 15;

/// Where an instruction leads besides the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It jumps or calls there.
    Branch,
    /// It reads or writes so many bytes there; 0 when that is not known.
    Memory(u64),
    /// It takes the address.
    Address,
}

/// An instruction, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Address.
    pub at: u64,
    /// Bytes.
    pub length: usize,
    /// Its bytes, with 0 for addresses, displacements and immediates of 4 bytes or more.
    pub shape: [u8; LONGEST],
    /// What it leads to by an operand that counts from its own place.
    pub target: Option<(u64, Access)>,
    /// Displacement of a memory operand that does not count from its own place, if it has 4 bytes.
    pub displacement: Option<u64>,
    /// That displacement counts from the thread pointer.
    pub by_thread: bool,
    /// Immediate of 4 bytes or more.
    pub immediate: Option<u64>,
    /// Jumps by a distance, short or long.
    pub is_jump: bool,
    /// Does nothing, or is never reached: `nop`, `int3`.
    pub is_padding: bool,
}

/// Reads the instructions of some code.
pub struct Steps<'c> {
    code: &'c [u8],
    start: u64,
    decoder: Decoder<'c>,
    instruction: Instruction,
}

impl std::fmt::Debug for Steps<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Steps").field("start", &self.start).finish_non_exhaustive()
    }
}

/// What comes next in some code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// An instruction.
    Step(Step),
    /// Bytes that are no instruction.
    Invalid,
    /// Nothing.
    End,
}

impl<'c> Steps<'c> {
    /// Reads code that stands at an address.
    pub fn new(code: &'c [u8], start: u64) -> Self {
        let decoder = Decoder::with_ip(64, code, start, DecoderOptions::NONE);
        Self { code, start, decoder, instruction: Instruction::default() }
    }

    /// The next instruction.
    pub fn step(&mut self) -> Next {
        if !self.decoder.can_decode() {
            return Next::End;
        }
        let from = self.decoder.position();
        self.decoder.decode_out(&mut self.instruction);
        let instruction = &self.instruction;
        if instruction.is_invalid() {
            return Next::Invalid;
        }
        let offsets = self.decoder.get_constant_offsets(instruction);
        let bytes = &self.code[from..from + instruction.len()];
        Next::Step(taken_apart(instruction, bytes, &offsets))
    }
}

fn taken_apart(instruction: &Instruction, bytes: &[u8], offsets: &ConstantOffsets) -> Step {
    let mut shape = [0; LONGEST];
    shape[..bytes.len()].copy_from_slice(bytes);
    let mut step = Step {
        at: instruction.ip(),
        length: bytes.len(),
        shape,
        target: None,
        displacement: None,
        by_thread: false,
        immediate: None,
        is_jump: false,
        is_padding: is_padding(instruction),
    };
    let mut blank = |at: usize, size: usize| step.shape[at..at + size].fill(0);
    let near = matches!(instruction.op0_kind(), OpKind::NearBranch64 | OpKind::NearBranch32 | OpKind::NearBranch16);
    if near {
        blank(offsets.immediate_offset(), offsets.immediate_size());
        step.target = Some((instruction.near_branch_target(), Access::Branch));
        // The assembler makes a jump as short as its distance allows: long and short form are one.
        step.is_jump = instruction.flow_control() != FlowControl::Call && matches!(bytes.len(), 2 | 5 | 6);
        if step.is_jump {
            step.shape = [0; LONGEST];
            step.shape[..2].copy_from_slice(&(instruction.mnemonic() as u16).to_le_bytes());
        }
        return step;
    }
    if instruction.is_ip_rel_memory_operand() {
        blank(offsets.displacement_offset(), offsets.displacement_size());
        let access = match instruction.mnemonic() {
            Mnemonic::Lea => Access::Address,
            _ => Access::Memory(instruction.memory_size().size() as u64),
        };
        step.target = Some((instruction.ip_rel_memory_address(), access));
    } else if offsets.displacement_size() >= 4 {
        blank(offsets.displacement_offset(), offsets.displacement_size());
        step.displacement = Some(instruction.memory_displacement64());
        step.by_thread = instruction.segment_prefix() == Register::FS && instruction.memory_base() == Register::None;
    }
    if offsets.immediate_size() >= 4 {
        blank(offsets.immediate_offset(), offsets.immediate_size());
        let number = (0..instruction.op_count()).rev().find_map(|i| instruction.try_immediate(i).ok());
        step.immediate = number;
    }
    step
}

fn is_padding(instruction: &Instruction) -> bool {
    let nop = matches!(instruction.mnemonic(), Mnemonic::Nop | Mnemonic::Int3);
    // Eight zeros, as some linkers fill with: `add %al, (%rax)`. `xchg %ax, %ax` is what the assembler calls a nop.
    let zeros = instruction.code() == Code::Add_rm8_r8
        && instruction.memory_base() == Register::RAX
        && instruction.op1_register() == Register::AL
        && instruction.len() == 2;
    nop || zeros || (instruction.mnemonic() == Mnemonic::Xchg && instruction.code() == Code::Nopw)
}

/// The word that an entry of a PLT jumps through.
pub fn plt_word(code: &[u8], at: u64) -> Option<u64> {
    let mut steps = Steps::new(code, at);
    while let Next::Step(step) = steps.step() {
        let is_jump = step.shape.windows(2).any(|w| w == [0xff, 0x25]);
        if let Some((target, Access::Memory(_))) = step.target.filter(|_| is_jump) {
            return Some(target);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(code: &[u8], at: u64) -> Step {
        match Steps::new(code, at).step() {
            Next::Step(step) => step,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn addresses_are_apart_from_what_is_done() {
        // call, at two places, of one function.
        let (a, b) = (step(&[0xe8, 0xfb, 0, 0, 0], 0x1000), step(&[0xe8, 0xeb, 0, 0, 0], 0x1010));
        assert_eq!(a.shape, b.shape);
        assert_eq!((a.target, b.target), (Some((0x1100, Access::Branch)), Some((0x1100, Access::Branch))));
        // lea 0x10(%rip), %rdi
        let lea = step(&[0x48, 0x8d, 0x3d, 0x10, 0, 0, 0], 0x1000);
        assert_eq!(lea.target, Some((0x1017, Access::Address)));
        // lea 100(%rdi), %eax: eight bits of displacement are part of what is done.
        assert_ne!(step(&[0x8d, 0x47, 0x64], 0).shape, step(&[0x8d, 0x47, 0x65], 0).shape);
        // mov $0x11223344, %eax
        assert_eq!(step(&[0xb8, 0x44, 0x33, 0x22, 0x11], 0).immediate, Some(0x1122_3344));
        // mov %fs:-8, %rax
        let by_thread = step(&[0x64, 0x48, 0x8b, 0x04, 0x25, 0xf8, 0xff, 0xff, 0xff], 0);
        assert_eq!((by_thread.displacement, by_thread.by_thread), (Some(-8i64 as u64), true));
    }

    #[test]
    fn what_fills_up_is_known() {
        for code in [&[0x90u8][..], &[0xcc], &[0x66, 0x90], &[0x0f, 0x1f, 0x44, 0, 0], &[0, 0]] {
            assert!(step(code, 0).is_padding, "{code:x?}");
        }
        assert!(!step(&[0xc3], 0).is_padding);
    }

    #[test]
    fn an_entry_of_a_plt_names_its_word() {
        // endbr64; bnd jmp *0x2f75(%rip)
        let code = [0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff, 0x25, 0x75, 0x2f, 0, 0, 0x90];
        assert_eq!(plt_word(&code, 0x1000), Some(0x1000 + 11 + 0x2f75));
    }
}
