//#NoOracle:after the revert a literal of v2 is still in use
//#ExpectClosure:greet
//#Send:greet
//#Expect:hello
//#Expect:shared text
//#Update:v2
//#Send:greet
//#Expect:good day
//#Expect:shared text
//#Send:kept
//#Expect:good day
//#Revert
//#Send:kept
//#Expect:good day
//#Send:greet
//#Expect:hello
// A literal of the new version outlives the version: the pointer stays valid after the revert.
#include "serve.h"

static const char *volatile kept;

__attribute__((noinline)) const char *greet(void) {
    puts("shared text");
    return opaque("hello"); //#v2: return opaque("good day");
}

__attribute__((noinline)) void other(void) { puts("shared text"); }

void handle(const char *line) {
    if (is(line, "greet"))
        kept = greet();
    else
        other();
    puts(kept);
}
