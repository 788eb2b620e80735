//#Send:price
//#Expect:1
//#Update:v2
//#Send:price
//#Expect:2
//#Revert
//#Send:price
//#Expect:1
//#Update:v3
//#Send:price
//#Expect:3
//#Revert
//#Send:price
//#Expect:1
//#Update:v2
//#Send:price
//#Expect:2
#include "serve.h"

__attribute__((noinline)) int price(void) {
    int value = 1; //#v2: int value = 2; //#v3: int value = 3;
    __asm__ volatile("" : "+r"(value));
    return value;
}

void handle(const char *line) { printf("%d\n", price()); }
