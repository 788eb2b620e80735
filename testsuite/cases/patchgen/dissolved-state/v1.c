//#ExpectRefused:dissolved-state limit
//#Send:go
//#Expect:7
#include "serve.h"

// v1's `limit` is never written, so no such object exists; v2 writes it.
static int limit = 7;

__attribute__((noinline)) void show(void) { printf("%d\n", limit); }

void handle(const char *line) { show(); }
