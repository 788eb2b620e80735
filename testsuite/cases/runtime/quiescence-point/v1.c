//#Send:go 3
//#Expect:3
//#RunTool:dsuctl status $PID --json
//#ToolOut:"points": 2
//#Update:v2
//#Send:go 3
//#Expect:6
//#RunTool:dsuctl status $PID --json
//#Revert
//#Send:go 3
//#Expect:3
// The point is counted beside the one of the loop that reads lines, costs no call while nothing happens, and is passed through updates.
#include "serve.h"
#include <dsu.h>

__attribute__((noinline)) long work(long n) { return opaque_number(n); } //#v2: __attribute__((noinline)) long work(long n) { return opaque_number(n * 2); }

void handle(const char *line) {
    DSU_QUIESCENCE_POINT();
    printf("%ld\n", work(argument(line)));
}
