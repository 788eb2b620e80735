//#CompArgs:-O2 -mllvm -force-specialization -mllvm -funcspec-min-function-size=1
//#Send:sum 4
//#Expect:10 24
//#Update:v2
//#Send:sum 4
//#Expect:10 -24
// The compiler makes a copy of `fold` for each function it is called with, and numbers them.
#include "serve.h"

static long plus(long a, long b) { return opaque_number(a + b); }
static long times(long a, long b) { return opaque_number(a * b); } //#v2: static long times(long a, long b) { return a ? opaque_number(a * b) : 0; }

__attribute__((noinline)) static long fold(long (*with)(long, long), long start, long n) {
    for (long i = 1; i <= n; i++)
        start = with(start, i);
    return start;
}

void handle(const char *line) {
    long n = argument(line);
    printf("%ld %ld\n", fold(plus, 0, n), fold(times, 1, n)); //#v2: printf("%ld %ld\n", fold(plus, 0, n), fold(times, -1, n));
}
