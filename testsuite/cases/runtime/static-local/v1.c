//#ExpectClosure:count
//#Send:count
//#Expect:1
//#Send:count
//#Expect:2
//#Update:v2
//#Send:count
//#Expect:1003
//#Revert
//#Send:count
//#Expect:4
// The counter lives on: the new version counts where the old one stopped, and back.
#include "serve.h"

__attribute__((noinline)) int count(void) {
    static int calls;
    calls++;
    return (int)opaque_number(calls); //#v2: return (int)opaque_number(calls + 1000);
}

void handle(const char *line) { printf("%d\n", count()); }
