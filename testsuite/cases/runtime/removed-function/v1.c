//#NoOracle:in a fresh v2 nobody has kept the old function
//#ExpectChanged:legacy(removed), price(body)
//#Send:keep
//#Send:price 3
//#Expect:30
//#Update:v2
//#Send:price 3
//#Expect:3
//#Send:kept 3
//#Expect:30
//#Revert
//#Send:price 3
//#Expect:30
// Nobody calls it any more, but a pointer to it is out there: it goes on working.
#include "serve.h"

typedef long rule(long);
static rule *volatile kept;

__attribute__((noinline)) long price(long n);
__attribute__((noinline)) long legacy(long n) { return n * 10; } //#v2-
__attribute__((noinline)) long price(long n) {
    kept = legacy; //#v2: return opaque_number(n);
    return opaque_number(legacy(n)); //#v2-
}

void handle(const char *line) {
    if (is(line, "price"))
        printf("%ld\n", price(argument(line)));
    else if (is(line, "kept"))
        printf("%ld\n", kept ? kept(argument(line)) : 0);
}
