//#LinkArgs:-Wl,--as-needed -lm
//#ExpectRefused:unresolved-symbol cbrt
//#Send:go 27
//#Expect:27
// The fix uses a function of a library that the program never loaded.
#include "serve.h"
#include <math.h>

__attribute__((noinline)) long root(long n) { return opaque_number(n); } //#v2: __attribute__((noinline)) long root(long n) { return opaque_number((long)cbrt((double)n)); }

void handle(const char *line) { printf("%ld\n", root(argument(line))); }
