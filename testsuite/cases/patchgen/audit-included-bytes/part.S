    .section .rodata
    .globl page
page:
    .incbin "page.txt"
    .byte 0
    .section .note.GNU-stack, "", @progbits
