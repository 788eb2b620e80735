//#ExpectChanged:stamp(body)
//#ExpectClosure:stamp
//#Send:go
//#Expect:1
//#Update:v2
//#Send:go
//#Expect:2
// Only the assembly inside a function differs.
#include "serve.h"

__attribute__((noinline)) int stamp(void) {
    int value;
    __asm__("movl $1, %0" : "=r"(value)); //#v2: __asm__("movl $2, %0" : "=r"(value));
    return value;
}

void handle(const char *line) { printf("%d\n", stamp()); }
