//#Unit:second.c
//#ExpectClosure:one, two
//#Send:one
//#Expect:one 5
//#Send:two
//#Expect:two 5
//#Update:v2
//#Send:one
//#Expect:one 6
//#Send:two
//#Expect:two 6
// An inline function of a header, changed: every unit that used it changes.
#include "serve.h"
#include "limit.h"

void two(void);
__attribute__((noinline)) void one(void) { printf("one %d\n", limit()); }

void handle(const char *line) {
    if (is(line, "one"))
        one();
    else
        two();
}
