    .text
    .globl part
    .type part, @function
part:
    lea 100(%rdi), %eax
    ret
    .size part, . - part
    .section .note.GNU-stack, "", @progbits
