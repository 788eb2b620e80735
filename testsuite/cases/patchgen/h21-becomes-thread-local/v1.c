//#ExpectRefused:data-changed thread-local
//#Send:go
//#Expect:1
#include "serve.h"

static int calls; //#v2: static __thread int calls;

__attribute__((noinline)) int next(void) { return (int)opaque_number(++calls); }

void handle(const char *line) { printf("%d\n", next()); }
