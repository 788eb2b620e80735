// A number that equals its line, and moves along with it by chance, is a value all the same.
#include "serve.h"

int m;
__attribute__((noinline)) void show(int n) { printf("%d\n", n); }
__attribute__((noinline)) void log_failed_assert(const char *file, int line, int n) { show((int)opaque_number(n)); }
#ifdef RETURNED
#line 14
__attribute__((noinline)) int limit(void) { return (int)opaque_number(14); }
void handle(const char *line) { show(limit()); }
#else
#line 14
void handle(const char *line) {
#if defined STORED
#line 14
    m = 14;
    show(m);
#elif defined PRINTED
#line 14
    printf("%d\n", 14);
#elif defined PASSED
#line 14
    show(14);
#elif defined ASSERTED
#line 14
    log_failed_assert("main.c", 3, 14);
#endif
}
#endif
