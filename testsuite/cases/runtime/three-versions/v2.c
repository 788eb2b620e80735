#include "serve.h"

__attribute__((noinline)) int price(void) {
    int value = 2;
    __asm__ volatile("" : "+r"(value));
    return value;
}

void handle(const char *line) { printf("%d\n", price()); }
