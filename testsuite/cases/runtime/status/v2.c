#include "serve.h"

__attribute__((noinline)) const char *work(void) { return "new"; }

void handle(const char *line) { puts(work()); }
