//! The gate in machine code. A transition stub comes here in place of the function: every register that may hold an
//! argument, and the stack, must be as they were when it goes on.

use core::sync::atomic::{AtomicU8, Ordering};

use crate::threads::pass_gate;

/// 1 where the processor and the kernel know `xsave`; with less, arguments are in the registers `fxsave` knows.
static WIDE: AtomicU8 = AtomicU8::new(0);

core::arch::global_asm!(
    ".pushsection .text.__dsu_gate,\"ax\",@progbits",
    ".globl __dsu_gate",
    ".hidden __dsu_gate",
    ".type __dsu_gate, @function",
    ".p2align 4",
    "__dsu_gate:",
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
    "call {pass}",
    "mov %rax, %r11",
    "xor %edx, %edx",
    "mov $0xe6, %eax",
    "xrstor64 (%rsp)",
    "jmp 2f",
    "1:",
    "fxsave64 (%rsp)",
    "call {pass}",
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
    ".size __dsu_gate, . - __dsu_gate",
    ".popsection",
    wide = sym WIDE,
    pass = sym pass_gate,
    options(att_syntax),
);

unsafe extern "C" {
    fn __dsu_gate();
}

/// Where transition stubs find it.
pub(crate) fn address() -> usize {
    (__dsu_gate as *const ()).addr()
}

/// Finds out what the processor can. Before the first patch is loaded.
pub(crate) fn prepare() {
    const OSXSAVE: u32 = 1 << 27;
    let features = core::arch::x86_64::__cpuid(1).ecx;
    WIDE.store(u8::from(features & OSXSAVE != 0), Ordering::Relaxed);
}
