// The function leaves by longjmp and never returns: nothing is counted, so nothing leaks.
#include "serve.h"
#include <setjmp.h>

static jmp_buf back;

__attribute__((noinline)) int guarded(int deep) {
    if (deep == 0)
        longjmp(back, 2);
    return (int)opaque_number(guarded(deep - 1) + 1);
}

void handle(const char *line) {
    volatile long jumps = 0;
    volatile int value = 0;
    while (jumps < argument(line)) {
        int jumped = setjmp(back);
        if (jumped) {
            jumps++;
            value = jumped;
        } else {
            guarded(5);
        }
    }
    printf("%ld jumps to %d\n", jumps, value);
}
