//#ExpectChanged:price(body)
//#ExpectClosure:price
//#Send:price 3
//#Expect:3
//#Update:v2
//#Send:price 3
//#Expect:6
#include "serve.h"
#include <assert.h>

__attribute__((noinline)) long price(long n) { return opaque_number(n); }

__attribute__((noinline)) void check(long n) { assert(n < 100); }

void handle(const char *line) {
    check(argument(line));
    printf("%ld\n", price(argument(line)));
}
