#include "serve.h"

__attribute__((noinline, section(".text.second"))) int moved(void) {
    int value = 2;
    __asm__ volatile("" : "+r"(value));
    return value;
}

void handle(const char *line) { printf("%d\n", moved()); }
