//#ExpectClosure:name, handle
//#Send:go 3
//#Expect:three 30 7
//#Update:v2
//#Send:go 3
//#Expect:THREE 31 8
//#Revert
//#Send:go 3
//#Expect:three 30 7
//#Config:hidden
//#CompArgs:-O2 -fvisibility=hidden
//#Config:no-plt
//#CompArgs:-O2 -fno-plt
//#Config:medium
//#CompArgs:-O2 -mcmodel=medium
//#Config:sections
//#CompArgs:-O2 -ffunction-sections -fdata-sections
//#LinkArgs:-Wl,--gc-sections
//#Config:o0
//#CompArgs:-O0
//#Config:o1
//#CompArgs:-O1
//#Config:o3
//#CompArgs:-O3 -march=x86-64-v2
//#Config:os
//#CompArgs:-Os -fno-strict-aliasing
//#Config:debug
//#CompArgs:-Og -g3
//#Config:unwind
//#CompArgs:-O2 -fno-asynchronous-unwind-tables -fomit-frame-pointer
//#Config:hardened
//#CompArgs:-O2 -fstack-protector-strong -fcf-protection=full -ftrivial-auto-var-init=zero
//#Config:wrapping
//#CompArgs:-O2 -fwrapv -fno-common -fshort-enums -ffast-math
// One small program that has a little of everything, under flags that change how it is compiled and linked.
#include "serve.h"

enum number { one = 1, two, three };
static char large[100000];
static const long prices[] = {0, 10, 20, 30, 40};
static int calls = 6;

__attribute__((noinline)) static const char *name(enum number n) {
    switch (n) {
    case one: return "one";
    case two: return "two";
    case three: return opaque("three"); //#v2: case three: return opaque("THREE");
    }
    return "many";
}

void handle(const char *line) {
    long n = argument(line);
    large[n] = (char)n;
    printf("%s %ld %d\n", name((enum number)large[n]), opaque_number(prices[n]), calls + 1); //#v2: printf("%s %ld %d\n", name((enum number)large[n]), opaque_number(prices[n]) + 1, calls + 2);
}
