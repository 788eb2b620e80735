//#CompArgs:-O2 -ffunction-sections
//#LinkArgs:-Wl,--gc-sections
//#Unit:spare.c
//#ExpectClosure:work, spare
//#Send:go
//#Expect:1
//#Update:v2
//#Send:go
//#Expect:42
// `spare` was compiled, but nobody used it and the linker dropped it: the patch brings it along.
#include "serve.h"

int spare(int n);

__attribute__((noinline)) int work(void) {
    int value = 1;
    __asm__ volatile("" : "+r"(value));
    return value; //#v2: return spare(value);
}

void handle(const char *line) { printf("%d\n", work()); }
