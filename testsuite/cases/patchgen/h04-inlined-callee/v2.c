// `price` is inlined everywhere at -O2: whoever holds a copy changes; at -O0 only itself does.
#include "serve.h"

static inline long price(long n) { return n * 11 + 1; }

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
