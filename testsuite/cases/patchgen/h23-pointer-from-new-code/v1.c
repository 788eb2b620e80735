//#NoOracle:after the revert a function of v2 is still in use
//#ExpectClosure:choose, fresh
//#Send:choose
//#Send:call
//#Expect:old rule
//#Update:v2
//#Send:choose
//#Send:call
//#Expect:fresh rule
//#Revert
//#Send:call
//#Expect:fresh rule
//#Send:choose
//#Send:call
//#Expect:old rule
// New code hands out the address of a new function; it is valid even after the revert.
#include "serve.h"

// volatile, or the compiler would keep no more of it than whether it was set
static void (*volatile current)(void);
void old(void) { puts("old rule"); }

__attribute__((noinline)) void choose(void) { current = old; } //#v2: __attribute__((noinline)) void choose(void);
//#v2+: void fresh(void) { puts("fresh rule"); }
//#v2+: void choose(void) { current = fresh; }

void handle(const char *line) {
    if (is(line, "choose"))
        choose();
    else
        current();
}
