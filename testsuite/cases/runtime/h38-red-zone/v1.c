//#ExpectClosure:leaf
//#Send:go 7
//#Expect:28
//#Update:v2
//#Send:go 7
//#Expect:128
//#Revert
//#Send:go 7
//#Expect:28
// A leaf keeps its locals below the stack pointer; whatever the stub did there would be seen.
#include "serve.h"

__attribute__((noinline)) long leaf(long n) {
    volatile long below[12];
    long sum = 0;
    for (int i = 0; i < 12; i++)
        below[i] = i < n ? i + 1 : 0;
    for (int i = 0; i < 12; i++)
        sum += below[i];
    return opaque_number(sum); //#v2: return opaque_number(sum + 100);
}

void handle(const char *line) { printf("%ld\n", leaf(argument(line))); }
