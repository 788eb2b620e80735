//#ExpectClosure:even, odd
//#Send:go 100001
//#Expect:odd
//#Update:v2
//#Send:go 100001
//#Expect:ODD
//#Send:go 100000
//#Expect:EVEN
// A chain of calls that must not grow the stack, before and after.
#include "serve.h"

__attribute__((noinline)) static const char *odd(long n);

__attribute__((noinline)) static const char *even(long n) {
    if (n == 0)
        return opaque("even"); //#v2: return opaque("EVEN");
    __attribute__((musttail)) return odd(n - 1);
}

__attribute__((noinline)) static const char *odd(long n) {
    if (n == 0)
        return opaque("odd"); //#v2: return opaque("ODD");
    __attribute__((musttail)) return even(n - 1);
}

void handle(const char *line) { puts(even(argument(line))); }
