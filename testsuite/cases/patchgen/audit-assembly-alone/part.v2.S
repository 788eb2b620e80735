    .text
    .globl part
    .type part, @function
part:
    lea .Lnames(%rip), %rax
    lea -4(%rax, %rdi, 4), %rax
    ret
    .size part, . - part
    .section .rodata
.Lnames:
    .asciz "one"
    .asciz "owt"
    .section .note.GNU-stack, "", @progbits
