//#ExpectClosure:guarded
//#Send:run 1000
//#Expect:1000 jumps to 1
//#Update:v2
//#Send:run 1000
//#Expect:1000 jumps to 2
//#Revert
//#Send:run 1000
//#Expect:1000 jumps to 1
//#Update:v2
//#Send:run 10
//#Expect:10 jumps to 2
// The function leaves by longjmp and never returns: nothing is counted, so nothing leaks.
#include "serve.h"
#include <setjmp.h>

static jmp_buf back;

__attribute__((noinline)) int guarded(int deep) {
    if (deep == 0)
        longjmp(back, 1); //#v2: longjmp(back, 2);
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
