//#Config:o2
//#ExpectChanged:price(signature), total(body)
//#ExpectClosure:price, total
//#Send:total 3
//#Expect:30
//#Update:v2
//#Send:total 3
//#Expect:33
//#Revert
//#Send:total 3
//#Expect:30
//#Config:o0:o2
//#CompArgs:-O0
// The new signature is a new function; those who call it move with it, the old entry is left alone.
#include "serve.h"

__attribute__((noinline)) long price(long n) { return n * 10; } //#v2: __attribute__((noinline)) long price(long n, long extra) { return n * 10 + extra; }
__attribute__((noinline)) long total(long n) { return price(n); } //#v2: __attribute__((noinline)) long total(long n) { return price(n, 3); }

void handle(const char *line) { printf("%ld\n", total(argument(line))); }
