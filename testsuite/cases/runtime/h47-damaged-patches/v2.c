// Whatever is wrong with the file, the process goes on as it was.
#include "serve.h"

__attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) { puts(work()); }
