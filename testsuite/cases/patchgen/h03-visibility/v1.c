//#ExpectNoChange
//#Send:go
//#Expect:3
// Who sees a function says nothing about what it does.
#include "serve.h"

__attribute__((noinline)) int three(void) { return (int)opaque_number(3); } //#v2: __attribute__((noinline, visibility("hidden"))) int three(void) { return (int)opaque_number(3); }

void handle(const char *line) { printf("%d\n", three()); }
