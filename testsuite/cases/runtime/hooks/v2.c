#include "serve.h"

int limit = 20;
static int vetoes;

__attribute__((noinline)) int twice(int value) { return (int)opaque_number(value) * 2; }

__attribute__((noinline)) static void refuse(int count) {
    vetoes += count;
    __asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) void show(int seen) { printf("%s %d %d\n", opaque("new"), limit + vetoes, seen); }

void handle(const char *line) {
    static int seen = 7;
    if (is(line, "set"))
        limit = (int)argument(line);
    else if (is(line, "see"))
        seen++;
    else if (is(line, "refuse"))
        refuse(twice((int)argument(line)));
    show(seen);
}
