//#Send:go
//#Expect:1 1
//#Update:v2
//#Send:go
//#Expect:2 2
//#Revert
//#Send:go
//#Expect:1 1
// Two names, one function: both follow.
#include "serve.h"

__attribute__((noinline)) int original(void) {
    int value = 1; //#v2: int value = 2;
    __asm__ volatile("" : "+r"(value));
    return value;
}
extern int second_name(void) __attribute__((alias("original")));

void handle(const char *line) { printf("%d %d\n", original(), second_name()); }
