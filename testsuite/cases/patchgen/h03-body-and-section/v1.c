//#ExpectClosure:moved
//#Send:go
//#Expect:1
//#Update:v2
//#Send:go
//#Expect:2
#include "serve.h"

__attribute__((noinline, section(".text.first"))) int moved(void) { //#v2: __attribute__((noinline, section(".text.second"))) int moved(void) {
    int value = 1; //#v2: int value = 2;
    __asm__ volatile("" : "+r"(value));
    return value;
}

void handle(const char *line) { printf("%d\n", moved()); }
