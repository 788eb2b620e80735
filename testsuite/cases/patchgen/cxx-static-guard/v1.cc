//#Compiler:dsu-c++
//#ExpectClosure:_Z7countedl
//#Send:go 3
//#Expect:first
//#Expect:103
//#Update:v2
//#Send:go 4
//#Reject:first
//#Expect:1104
// A function-local static with a guard: what was initialised stays so.
#include "serve.h"

static long first() {
    puts("first");
    return 100;
}

__attribute__((noinline)) long counted(long n) {
    static long start = first();
    return start + n; //#v2: return start + n + 1000;
}

void handle(const char *line) { printf("%ld\n", counted(argument(line))); }
