#include "serve.h"
#include <setjmp.h>

static jmp_buf back;

__attribute__((noinline, noreturn)) void leave(void) { longjmp(back, 2); }

void handle(const char *line) {
    int value = setjmp(back);
    if (value == 0)
        leave();
    printf("left %d\n", value);
}
