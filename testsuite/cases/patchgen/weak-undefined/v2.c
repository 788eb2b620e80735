// A weak function that nobody defines is null, in old code and in new.
#include "serve.h"

extern int hook(void) __attribute__((weak));

__attribute__((noinline)) void work(void) {
    if (hook)
        printf("present %d\n", hook());
    else
        printf("absent %d\n", 2);
}

void handle(const char *line) { work(); }
