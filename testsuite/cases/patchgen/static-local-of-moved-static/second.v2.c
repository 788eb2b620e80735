#include <stdio.h>

static __attribute__((noinline)) void count(void) {
    static int calls;
    printf("call %d\n", ++calls);
}

void second(void) { count(); }
