#include "serve.h"

__attribute__((noinline)) long left(long n) { return opaque_number(n + 100); }
__attribute__((noinline)) long right(long n) { return opaque_number(n * 2 + 1000); }

void handle(const char *line) { printf("%ld %ld\n", left(argument(line)), right(argument(line))); }
