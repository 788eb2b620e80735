// A constant table is content: the new code brings its own.
#include "serve.h"

static const char *const names[] = {"one", "zwei"};

__attribute__((noinline)) void show(long n) { puts(names[n & 1]); }

void handle(const char *line) { show(argument(line)); }
