//#Config:o2
//#CompArgs:-O2
//#Send:go 3
//#Expect:6
//#Update:v2
//#Send:go 3
//#Expect:9
//#Revert
//#Send:go 3
//#Expect:6
//#Config:o3:o2
//#CompArgs:-O3
// v1's `rate` reads no memory, so its caller calls it once for two; v2's does, and the caller must know.
#include "serve.h"

long factor = 1;

__attribute__((noinline)) static long rate(long n) { return n * 1; } //#v2: __attribute__((noinline)) static long rate(long n) { return n * factor; }

__attribute__((noinline)) long twice(long n) {
    long before = rate(n);
    factor = 2;
    long after = rate(n);
    factor = 1;
    return before + after;
}

void handle(const char *line) { printf("%ld\n", twice(argument(line))); }
