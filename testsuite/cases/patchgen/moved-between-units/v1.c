//#Unit:second.c
//#ExpectClosure:work, caller
//#Send:go
//#Expect:1
//#Update:v2
//#Send:go
//#Expect:2
// A function moves to another source file, and changes on the way.
#include "serve.h"

int caller(void);
__attribute__((noinline)) int work(void) {
    int value = 1;
    __asm__ volatile("" : "+r"(value));
    return value;
}

void handle(const char *line) { printf("%d\n", caller()); }
