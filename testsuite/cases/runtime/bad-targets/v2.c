// Processes that are not there, or have no runtime.
#include "serve.h"

__attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) { puts(work()); }
