//#ExpectClosure:fail
//#Send:fail
//#Expect:2
//#Update:v2
//#Send:fail
//#Expect:20
#include "serve.h"
#include <errno.h>

__attribute__((noinline)) void fail(int code) { errno = code; } //#v2: __attribute__((noinline)) void fail(int code) { errno = code * 10; }

void handle(const char *line) {
    errno = 0;
    fail(2);
    printf("%d\n", errno);
}
