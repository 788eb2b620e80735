//#ExpectClosure:leave
//#Send:leave
//#Expect:left 1
//#Update:v2
//#Send:leave
//#Expect:left 2
#include "serve.h"
#include <setjmp.h>

static jmp_buf back;

__attribute__((noinline, noreturn)) void leave(void) { longjmp(back, 1); } //#v2: __attribute__((noinline, noreturn)) void leave(void) { longjmp(back, 2); }

void handle(const char *line) {
    int value = setjmp(back);
    if (value == 0)
        leave();
    printf("left %d\n", value);
}
