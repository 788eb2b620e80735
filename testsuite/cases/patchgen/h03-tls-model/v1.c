//#ExpectClosure:next
//#Send:go
//#Expect:1
//#Update:v2
//#Send:go
//#Expect:2
// Another model of access to the same storage is no change of the variable.
#include "serve.h"

static __thread int calls; //#v2: static __thread __attribute__((tls_model("initial-exec"))) int calls;

__attribute__((noinline)) int next(void) { return (int)opaque_number(++calls); } //#v2: __attribute__((noinline)) int next(void) { return (int)opaque_number(++calls) + 0; }

void handle(const char *line) { printf("%d\n", next()); }
