#include <stdio.h>

__attribute__((noinline)) void count(void) {
    static int calls;
    printf("call %d\n", ++calls);
}

void nothing(void) {}
