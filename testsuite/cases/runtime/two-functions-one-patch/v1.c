//#ExpectChanged:left, right
//#ExpectClosure:left, right
//#Send:both 5
//#Expect:5 10
//#Update:v2
//#Send:both 5
//#Expect:105 1010
//#Revert
//#Send:both 5
//#Expect:5 10
#include "serve.h"

__attribute__((noinline)) long left(long n) { return opaque_number(n); } //#v2: __attribute__((noinline)) long left(long n) { return opaque_number(n + 100); }
__attribute__((noinline)) long right(long n) { return opaque_number(n * 2); } //#v2: __attribute__((noinline)) long right(long n) { return opaque_number(n * 2 + 1000); }

void handle(const char *line) { printf("%ld %ld\n", left(argument(line)), right(argument(line))); }
