// A chain of calls that must not grow the stack, before and after.
#include "serve.h"

__attribute__((noinline)) static const char *odd(long n);

__attribute__((noinline)) static const char *even(long n) {
    if (n == 0)
        return opaque("EVEN");
    __attribute__((musttail)) return odd(n - 1);
}

__attribute__((noinline)) static const char *odd(long n) {
    if (n == 0)
        return opaque("ODD");
    __attribute__((musttail)) return even(n - 1);
}

void handle(const char *line) { puts(even(argument(line))); }
