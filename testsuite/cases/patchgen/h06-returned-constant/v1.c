//#Send:go
//#Expect:7
//#Update:v2
//#Send:go
//#Expect:8
//#Revert
//#Send:go
//#Expect:7
// The optimiser knows what `level` returns and puts it into the caller: the caller changes too.
#include "serve.h"

__attribute__((noinline)) static int level(void) {
    __asm__ volatile("");
    return 7; //#v2: return 8;
}

__attribute__((noinline)) void show(void) { printf("%d\n", level()); }

void handle(const char *line) { show(); }
