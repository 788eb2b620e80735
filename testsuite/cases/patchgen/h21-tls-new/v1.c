//#ExpectRefused:new-tls mine
//#Send:go
//#Expect:1
// Threads that are already there have no room for a new thread-local.
#include "serve.h"

__attribute__((noinline)) int next(void) { return 1; }

void handle(const char *line) { printf("%d\n", next()); }
