//! x86-64: instruction bytes, registers, assembly. Templates that jump to code of other modules are macros, so that
//! nothing here refers to what stands above it.

use core::ffi::c_void;

use dsu_abi::stub::{self, Dispatch};

/// A page.
pub(crate) const PAGE: usize = 4096;
/// Bytes of the jump at a stub; after it, the body of a function of dispatch `always` begins.
pub(crate) const JUMP_SIZE: usize = stub::JMP_SIZE as usize;
/// Bytes of the landing pad that control-flow enforcement wants before an armed instruction.
pub(crate) const LANDING_PAD_SIZE: usize = stub::ENDBR64.len();

/// Whether these bytes are the landing pad.
pub(crate) fn is_landing_pad(code: &[u8]) -> bool {
    code == stub::ENDBR64
}

/// Where the jump of a stub is, as an address of the file, for the entry of a function armed at `arm_at`; and the
/// address its operand counts from.
pub(crate) fn stub_jump(dispatch: Dispatch, entry: u64, arm_at: u64) -> (u64, u64) {
    match dispatch {
        Dispatch::Armed => (entry.wrapping_sub(stub::JMP_SIZE), entry),
        Dispatch::Always => (arm_at, arm_at.wrapping_add(stub::JMP_SIZE)),
    }
}

/// The slot that a stub with these bytes jumps through, `after` being the address its operand counts from; `None` if
/// it is no stub.
pub(crate) fn slot_of(code: &[u8], after: u64) -> Option<u64> {
    let displacement = code.strip_prefix(&stub::JMP_INDIRECT)?.first_chunk::<4>()?;
    Some(after.wrapping_add_signed(i32::from_le_bytes(*displacement).into()))
}

/// What an entry holds when it is armed: a short jump to the stub. `None` for an offset from which it does not reach.
pub(crate) fn armed_entry(arm_offset: u8) -> Option<u16> {
    stub::arm_bytes(arm_offset).map(u16::from_le_bytes)
}

/// The thread pointer, which the ABI keeps in the word that it points to.
pub(crate) fn thread_pointer() -> usize {
    let pointer: usize;
    // SAFETY: the ABI (System V, x86-64, thread-local storage) makes the word at `fs:0` readable in every thread.
    unsafe { core::arch::asm!("mov {}, fs:0", out(reg) pointer, options(nostack, readonly, preserves_flags)) };
    pointer
}

/// Offset of `__dsu_thread` from the thread pointer, the same in every thread.
pub(crate) fn thread_offset() -> usize {
    let offset: usize;
    // SAFETY: loads a word of the global offset table, which the dynamic linker has filled before any of this runs.
    unsafe {
        core::arch::asm!("mov {}, qword ptr [rip + __dsu_thread@GOTTPOFF]", out(reg) offset,
            options(nostack, readonly, preserves_flags));
    }
    offset
}

/// The calling thread's `__dsu_thread`.
pub(crate) fn thread_word() -> *const c_void {
    let word;
    // SAFETY: loads the calling thread's own word, which the thread-local template below defines.
    unsafe {
        core::arch::asm!("mov {}, qword ptr fs:[{}]", out(reg) word, in(reg) thread_offset(),
            options(nostack, readonly, preserves_flags));
    }
    word
}

/// Stores it.
pub(crate) fn set_thread_word(word: *const c_void) {
    // SAFETY: stores the calling thread's own word, which nobody else writes.
    unsafe {
        core::arch::asm!("mov qword ptr fs:[{}], {}", in(reg) thread_offset(), in(reg) word,
            options(nostack, preserves_flags));
    }
}

/// The calling thread's `__dsu_thread_generation`: the epoch it has answered last.
pub(crate) fn own_epoch() -> u32 {
    let epoch: u32;
    // SAFETY: loads the calling thread's own word, found by the initial-exec model.
    unsafe {
        core::arch::asm!(
            "mov {at}, qword ptr [rip + __dsu_thread_generation@GOTTPOFF]",
            "mov {epoch:e}, dword ptr fs:[{at}]",
            at = out(reg) _,
            epoch = out(reg) epoch,
            options(nostack, readonly, preserves_flags),
        );
    }
    epoch
}

/// Stores it.
pub(crate) fn set_own_epoch(epoch: u32) {
    // SAFETY: stores the calling thread's own word, found by the initial-exec model.
    unsafe {
        core::arch::asm!(
            "mov {at}, qword ptr [rip + __dsu_thread_generation@GOTTPOFF]",
            "mov dword ptr fs:[{at}], {epoch:e}",
            at = out(reg) _,
            epoch = in(reg) epoch,
            options(nostack, preserves_flags),
        );
    }
}

/// Whether processor and kernel save registers with `xsave`; with less, arguments are in those `fxsave` knows.
pub(crate) fn has_xsave() -> bool {
    const OSXSAVE: u32 = 1 << 27;
    core::arch::x86_64::__cpuid(1).ecx & OSXSAVE != 0
}

/// The thread-local words, for stable Rust has no thread-local statics without `std`: `__dsu_thread` points to
/// `unknown` at first, `__dsu_thread_generation` is 0.
macro_rules! thread_local_words {
    (unknown = $unknown:ident) => {
        core::arch::global_asm!(
            ".pushsection .tbss.__dsu_thread_generation,\"awT\",@nobits",
            ".globl __dsu_thread_generation",
            ".type __dsu_thread_generation, @object",
            ".size __dsu_thread_generation, 4",
            ".p2align 2",
            "__dsu_thread_generation:",
            ".zero 4",
            ".popsection",
            ".pushsection .tdata.__dsu_thread,\"awT\",@progbits",
            ".globl __dsu_thread",
            ".type __dsu_thread, @object",
            ".size __dsu_thread, 8",
            ".p2align 3",
            "__dsu_thread:",
            ".quad {unknown}",
            ".popsection",
            unknown = sym $unknown,
            options(att_syntax),
        );
    };
}
pub(crate) use thread_local_words;

/// What instrumented code calls. The entries pass on where the caller's frames begin, as a second argument: the return
/// address is among them, this code's own frames, full of leftovers, are not.
macro_rules! entries {
    (
        __dsu_quiesce = $quiesce:ident,
        __dsu_idle_begin = $idle_begin:ident,
        __dsu_idle_end = $idle_end:ident,
        __dsu_library_idle_begin = $library_idle_begin:ident,
        __dsu_library_idle_end = $library_idle_end:ident $(,)?
    ) => {
        core::arch::global_asm!(
            ".pushsection .text.__dsu_entries,\"ax\",@progbits",
            ".macro dsu_entry name, to",
            ".globl \\name",
            ".type \\name, @function",
            ".p2align 4",
            "\\name:",
            "endbr64",
            "mov %rsp, %rsi",
            "jmp \\to",
            ".size \\name, . - \\name",
            ".endm",
            "dsu_entry __dsu_quiesce, {quiesce}",
            "dsu_entry __dsu_idle_begin, {idle_begin}",
            "dsu_entry __dsu_idle_end, {idle_end}",
            "dsu_entry __dsu_library_idle_begin, {library_idle_begin}",
            "dsu_entry __dsu_library_idle_end, {library_idle_end}",
            ".popsection",
            quiesce = sym $quiesce,
            idle_begin = sym $idle_begin,
            idle_end = sym $idle_end,
            library_idle_begin = sym $library_idle_begin,
            library_idle_end = sym $library_idle_end,
            options(att_syntax),
        );
    };
}
pub(crate) use entries;

/// The slow path of dispatch stubs. A stub comes here in place of the function: every register that may hold an
/// argument, and the stack, must be as they were when it goes on to the version that `choose` returns. `wide` is a byte:
/// see [`has_xsave`].
macro_rules! slow_path {
    (choose = $choose:ident, wide = $wide:ident) => {
        core::arch::global_asm!(
            ".pushsection .text.__dsu_slow_path,\"ax\",@progbits",
            ".globl __dsu_slow_path",
            ".hidden __dsu_slow_path",
            ".type __dsu_slow_path, @function",
            ".p2align 4",
            "__dsu_slow_path:",
            ".cfi_startproc",
            "endbr64",
            "push %rbp",
            ".cfi_def_cfa_offset 16",
            ".cfi_offset %rbp, -16",
            "mov %rsp, %rbp",
            ".cfi_def_cfa_register %rbp",
            // Number of vector arguments, six arguments, static chain.
            "push %rax",
            "push %rcx",
            "push %rdx",
            "push %rsi",
            "push %rdi",
            "push %r8",
            "push %r9",
            "push %r10",
            // From the stub: where the addresses of the two versions are.
            "mov %r11, %rdi",
            // Components up to AVX-512 end at byte 2688 of the standard format.
            "sub $2752, %rsp",
            "and $-64, %rsp",
            "cmpb $0, {wide}(%rip)",
            "je 1f",
            "xor %eax, %eax",
            "mov %rax, 512(%rsp)",
            "mov %rax, 520(%rsp)",
            "mov %rax, 528(%rsp)",
            "mov %rax, 536(%rsp)",
            "mov %rax, 544(%rsp)",
            "mov %rax, 552(%rsp)",
            "mov %rax, 560(%rsp)",
            "mov %rax, 568(%rsp)",
            "xor %edx, %edx",
            // SSE, AVX, AVX-512.
            "mov $0xe6, %eax",
            "xsave64 (%rsp)",
            "call {choose}",
            "mov %rax, %r11",
            "xor %edx, %edx",
            "mov $0xe6, %eax",
            "xrstor64 (%rsp)",
            "jmp 2f",
            "1:",
            "fxsave64 (%rsp)",
            "call {choose}",
            "mov %rax, %r11",
            "fxrstor64 (%rsp)",
            "2:",
            "lea -64(%rbp), %rsp",
            "pop %r10",
            "pop %r9",
            "pop %r8",
            "pop %rdi",
            "pop %rsi",
            "pop %rdx",
            "pop %rcx",
            "pop %rax",
            "pop %rbp",
            ".cfi_def_cfa %rsp, 8",
            "jmp *%r11",
            ".cfi_endproc",
            ".size __dsu_slow_path, . - __dsu_slow_path",
            ".popsection",
            wide = sym $wide,
            choose = sym $choose,
            options(att_syntax),
        );
    };
}
pub(crate) use slow_path;

/// A note (`dsu_abi::note::TYPE_RUNTIME`) whose descriptor is the distance to `word`.
macro_rules! runtime_note {
    (word = $word:ident) => {
        core::arch::global_asm!(
            ".pushsection .note.dsu,\"a\",@note",
            ".p2align 2",
            ".long 4, 8, 2",
            ".asciz \"DSU\"",
            ".quad {word} - .",
            ".popsection",
            word = sym $word,
        );
    };
}
pub(crate) use runtime_note;
