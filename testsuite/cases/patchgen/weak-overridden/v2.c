// What is weak counts only where nobody has a stronger one.
#include "serve.h"

#ifndef LIMIT
#define LIMIT 5
#endif

__attribute__((weak, noinline)) int hook(void) { return 10; }
__attribute__((weak)) const int limit = LIMIT;
__attribute__((weak)) long state = 1;

#ifdef QUIET
void handle(const char *line) { printf("%d %d %ld\n", hook(), limit, ++state); }
#else
void handle(const char *line) { printf("v2 %d %d %ld\n", hook(), limit, ++state); }
#endif
