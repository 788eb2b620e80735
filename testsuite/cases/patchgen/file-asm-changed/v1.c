//#ExpectRefused:file-asm-changed main.c
//#Send:go
//#Expect:1
#include "serve.h"

__asm__(".pushsection .text\n.globl answer\nanswer: movl $1, %eax; ret\n.popsection"); //#v2: __asm__(".pushsection .text\n.globl answer\nanswer: movl $2, %eax; ret\n.popsection");
int answer(void);

void handle(const char *line) { printf("%d\n", answer()); }
