// A weak definition is one that others may replace: its callers are compiled for that.
#include "serve.h"

__attribute__((noinline, weak)) int three(void) { return (int)opaque_number(4); }

void handle(const char *line) { printf("%d\n", three()); }
