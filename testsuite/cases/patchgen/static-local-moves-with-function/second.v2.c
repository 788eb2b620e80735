#include <stdio.h>

__attribute__((noinline)) void count(void) {
    static int calls;
    printf("call number %d\n", ++calls);
}

void nothing_else(void) {}
