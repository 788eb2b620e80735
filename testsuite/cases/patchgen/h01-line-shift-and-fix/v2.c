#include "serve.h"
#include <assert.h>

__attribute__((noinline)) long price(long n) {
    // doubled

    return opaque_number(n * 2);
}

__attribute__((noinline)) void check(long n) { assert(n < 100); }

void handle(const char *line) {
    check(argument(line));
    printf("%ld\n", price(argument(line)));
}
