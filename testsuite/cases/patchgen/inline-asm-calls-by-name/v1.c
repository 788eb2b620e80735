//#ExpectRefused:unresolved-symbol helper
//#Send:go
//#Expect:4
// The text of inline assembly names a function of the program, which a patch cannot reach by name.
#include "serve.h"

int helper(void);
__attribute__((used, noinline)) int helper(void) { return 4; }

__attribute__((noinline)) static int work(void) {
    int value;
    __asm__ volatile("call helper" : "=a"(value) : : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
    return value; //#v2: return value + 1;
}

void handle(const char *line) { printf("%d\n", work()); }
