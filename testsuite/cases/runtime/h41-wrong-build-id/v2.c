// A patch for another build of the same program.
#include "serve.h"

__attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) { puts(work()); }
