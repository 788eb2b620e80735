        .text
        .globl  table_of
        .type   table_of, @function
table_of:
        leal    10(%rdi), %eax
        ret
        .data
        .globl  stock
        .type   stock, @object
        .size   stock, 4
stock:  .long   70
        .section .note.GNU-stack, "", @progbits
