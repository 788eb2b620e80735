//#Unit:data.c
//#ExpectRefused:data-changed limit
//#Send:go
//#Expect:10
// A fine change in one unit, an impossible one in another: nothing of it is written.
#include "serve.h"

extern int limit;

__attribute__((noinline)) int rate(void) { return (int)opaque_number(limit); } //#v2: __attribute__((noinline)) int rate(void) { return (int)opaque_number(limit * 2); }

void handle(const char *line) { printf("%d\n", rate()); }
