//#Send:go 2
//#Expect:5
//#Update:v2
//#Send:go 2
//#Expect:9
//#Revert
//#Send:go 2
//#Expect:5
// v1 ignores the second argument and the optimiser drops it from callers; v2 uses it.
#include "serve.h"

__attribute__((noinline)) static long mix(long a, long b) {
    (void)b; //#v2-
    __asm__ volatile("" : "+r"(a));
    return a + 3; //#v2: return a + b + 3;
}

__attribute__((noinline)) long caller(long n) { return mix(n, n + 2); }

void handle(const char *line) { printf("%ld\n", caller(argument(line))); }
