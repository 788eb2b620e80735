//#ExpectClosure:fail
//#Send:go 1
//#Expect:fine
//#Send:go -1
//#Expect:failed 1
//#Update:v2
//#Send:go -1
//#Expect:failed 2
//#Send:go 1
//#Expect:fine
// An old frame set the buffer, a new one jumps.
#include "serve.h"
#include <setjmp.h>

static jmp_buf back;

__attribute__((noinline, noreturn)) static void fail(void) { longjmp(back, (int)opaque_number(1)); } //#v2: __attribute__((noinline, noreturn)) static void fail(void) { longjmp(back, (int)opaque_number(2)); }

__attribute__((noinline)) static const char *check(long n) {
    if (n < 0)
        fail();
    return "fine";
}

void handle(const char *line) {
    int code = setjmp(back);
    if (code)
        printf("failed %d\n", code);
    else
        puts(check(argument(line)));
}
