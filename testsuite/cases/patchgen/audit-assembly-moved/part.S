    .text

    .globl part
    .type part, @function
part:
    xor %eax, %eax
    cmp $1000, %edi
    jae 2f
    .p2align 5
1:  inc %eax
    cmp $100, %eax
    jb 1b
    add %edi, %eax
2:  ret
    .size part, . - part
    .globl table_entry
table_entry:
    lea table(%rip), %rax
    movslq %edi, %rdi
    movslq (%rax, %rdi, 4), %rcx
    add %rax, %rcx
    jmp *%rcx
.Lone:
    mov $1, %eax
    ret
.Ltwo:
    mov $2, %eax
    ret
    .section .rodata
    .p2align 2
table:
    .long .Lone - table
    .long .Ltwo - table
    .section .note.GNU-stack, "", @progbits
