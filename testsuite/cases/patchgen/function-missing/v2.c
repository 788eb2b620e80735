// `spare` was compiled, but nobody used it and the linker dropped it: the patch brings it along.
#include "serve.h"

int spare(int n);

__attribute__((noinline)) int work(void) {
    int value = 1;
    __asm__ volatile("" : "+r"(value));
    return spare(value);
}

void handle(const char *line) { printf("%d\n", work()); }
