// Meanwhile somebody installed the new program over the old: what counts is what runs.
#include "serve.h"

__attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) { puts(work()); }
