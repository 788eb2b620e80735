#include "serve.h"

__attribute__((noinline)) const char *word(void) { return opaque("new"); }

__attribute__((noinline, regcall)) void both(long n) { printf("%s %ld new\n", word(), n); }

void handle(const char *line) { both(argument(line)); }
