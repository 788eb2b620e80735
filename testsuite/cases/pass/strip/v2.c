// What ships can be small: the past lies in a file of its own, and fits the running program all the same.
#include "serve.h"

__attribute__((noinline)) int ask(void) {
    int value = 2;
    __asm__ volatile("" : "+r"(value));
    return value;
}

void handle(const char *line) { printf("%d\n", ask()); }
