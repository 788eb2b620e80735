//#ExpectClosure:second
//#Send:go 5
//#Expect:old 5
//#Update:v2
//#Send:go 5
//#Expect:new 5
//#Revert
//#Send:go 5
//#Expect:old 5
// Jumped to, not called: the entry is reached without a return address of its own.
#include "serve.h"

__attribute__((noinline)) int second(int n) {
    printf("old %d\n", n); //#v2: printf("new %d\n", n);
    return n;
}
__attribute__((noinline)) int first(int n) { __attribute__((musttail)) return second(n); }

void handle(const char *line) { first((int)argument(line)); }
