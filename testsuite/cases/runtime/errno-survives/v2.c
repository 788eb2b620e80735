#include "serve.h"
#include <errno.h>

__attribute__((noinline)) void fail(int code) { errno = code * 10; }

void handle(const char *line) {
    errno = 0;
    fail(2);
    printf("%d\n", errno);
}
