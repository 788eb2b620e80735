//#ExpectClosure:price, discount
//#Send:price 100
//#Expect:100
//#Update:v2
//#Send:price 100
//#Expect:90
//#Revert
//#Send:price 100
//#Expect:100
#include "serve.h"

__attribute__((noinline)) long price(long n) { return opaque_number(n); }

void handle(const char *line) { printf("%ld\n", price(argument(line))); }
