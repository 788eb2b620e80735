//#ExpectRefused:not-updatable marked
//#Send:go
//#Expect:3
// What was left alone cannot be updated: refused, with who left it alone.
#include "serve.h"

__attribute__((annotate("dsu::never"), noinline)) int marked(void) {
    int value = 3; //#v2: int value = 4;
    __asm__ volatile("" : "+r"(value));
    return value;
}

void handle(const char *line) { printf("%d\n", marked()); }
