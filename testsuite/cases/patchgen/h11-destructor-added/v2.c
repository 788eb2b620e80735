#include "serve.h"

__attribute__((noinline)) static long value(void) { return opaque_number(2); }

__attribute__((destructor)) static void farewell(void) { puts("good bye"); }

void handle(const char *line) {
    (void)line;
    printf("%ld\n", value());
}
