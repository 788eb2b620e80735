// The record survives and keeps nothing alive: what nobody calls is dropped as in a plain build.
#include "serve.h"

__attribute__((noinline)) int never_called(int n) { return n * 3; }
int never_read[1000] = {1};
__attribute__((noinline)) int ask(void) {
    int value = 2;
    __asm__ volatile("" : "+r"(value));
    return value;
}

void handle(const char *line) { printf("%d\n", ask()); }
