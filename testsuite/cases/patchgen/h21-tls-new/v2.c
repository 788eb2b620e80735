// Threads that are already there have no room for a new thread-local.
#include "serve.h"

__attribute__((noinline)) int next(void) {
    static _Thread_local int mine;
    __asm__ volatile("" : "+m"(mine));
    return ++mine;
}

void handle(const char *line) { printf("%d\n", next()); }
