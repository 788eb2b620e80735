//#ExpectChanged:three(body), handle(body)
//#Send:go
//#Expect:3
//#Update:v2
//#Send:go
//#Expect:4
// A weak definition is one that others may replace: its callers are compiled for that.
#include "serve.h"

__attribute__((noinline)) int three(void) { return (int)opaque_number(3); } //#v2: __attribute__((noinline, weak)) int three(void) { return (int)opaque_number(4); }

void handle(const char *line) { printf("%d\n", three()); }
