// To the machine a new name is a new function and a removed one.
#include "serve.h"

__attribute__((noinline)) int new_name(void) {
    int value = 1;
    __asm__ volatile("" : "+r"(value));
    return value;
}

__attribute__((noinline)) void caller(void) { printf("%d\n", new_name()); }

void handle(const char *line) { caller(); }
