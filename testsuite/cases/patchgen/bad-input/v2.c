// Each mistake of a person at the keyboard: one line, its own exit code, nothing written.
#include "serve.h"

__attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) { puts(work()); }
