//#Config:o2
//#ExpectClosure:total, report
//#Send:total 3
//#Expect:31
//#Send:report 3
//#Expect:report 62
//#Send:other
//#Expect:other
//#Update:v2
//#Send:total 3
//#Expect:34
//#Send:report 3
//#Expect:report 68
//#Send:other
//#Expect:other
//#Config:o0:o2
//#CompArgs:-O0
//#ExpectClosure:price
// `price` is inlined everywhere at -O2: whoever holds a copy changes; at -O0 only itself does.
#include "serve.h"

static inline long price(long n) { return n * 10 + 1; } //#v2: static inline long price(long n) { return n * 11 + 1; }

__attribute__((noinline)) void total(long n) { printf("%ld\n", price(n)); }
__attribute__((noinline)) void report(long n) { printf("report %ld\n", price(n) * 2); }
__attribute__((noinline)) void other(void) { puts("other"); }

void handle(const char *line) {
    if (is(line, "total"))
        total(argument(line));
    else if (is(line, "report"))
        report(argument(line));
    else
        other();
}
