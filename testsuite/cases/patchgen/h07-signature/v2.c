// The new signature is a new function; those who call it move with it, the old entry is left alone.
#include "serve.h"

__attribute__((noinline)) long price(long n, long extra) { return n * 10 + extra; }
__attribute__((noinline)) long total(long n) { return price(n, 3); }

void handle(const char *line) { printf("%ld\n", total(argument(line))); }
