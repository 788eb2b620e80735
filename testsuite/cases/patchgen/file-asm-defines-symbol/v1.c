//#ExpectClosure:work
//#Send:go
//#Expect:7
//#Update:v2
//#Send:go
//#Expect:8
// A function written in assembly stays; new code calls it where it is.
#include "serve.h"

__asm__(".text\n.globl seven\n.type seven, @function\nseven:\n\tmovl $7, %eax\n\tret\n.size seven, .-seven");
int seven(void);

__attribute__((noinline)) static int work(void) { return seven() + (int)opaque_number(0); } //#v2: __attribute__((noinline)) static int work(void) { return seven() + (int)opaque_number(1); }

void handle(const char *line) { printf("%d\n", work()); }
