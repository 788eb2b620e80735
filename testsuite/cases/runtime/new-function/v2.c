#include "serve.h"

__attribute__((noinline)) static long discount(long n) { return opaque_number(n / 10); }

__attribute__((noinline)) long price(long n) { return opaque_number(n - discount(n)); }

void handle(const char *line) { printf("%ld\n", price(argument(line))); }
