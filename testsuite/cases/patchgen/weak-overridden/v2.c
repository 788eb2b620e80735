// What is weak counts only where nobody has a stronger one.
#include "serve.h"

__attribute__((weak, noinline)) int hook(void) { return 10; }
__attribute__((weak)) const int limit = 55;
__attribute__((weak)) long state = 1;

#ifdef QUIET
void handle(const char *line) { printf("%d %d %ld\n", hook(), limit, ++state); }
#else
void handle(const char *line) { printf("v2 %d %d %ld\n", hook(), limit, ++state); }
#endif
