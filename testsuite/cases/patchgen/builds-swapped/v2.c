// The wrong way round, the patch would take the fix back: the running process can tell.
#include "serve.h"

__attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) { puts(work()); }
