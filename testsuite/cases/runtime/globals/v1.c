//#NoOracle:the state was made by both versions
//#ExpectClosure:bump
//#Send:bump 5
//#Expect:5 5
//#Send:bump 5
//#Expect:10 10
//#Update:v2
//#Send:bump 5
//#Expect:20 15
//#Send:read
//#Expect:20 15
//#Revert
//#Send:bump 1
//#Expect:21 16
// Old and new code share exported, static, pointer and array variables.
#include "serve.h"

long exported;
static long hidden[4];
static long *cursor = &hidden[2];

__attribute__((noinline)) void bump(long by) {
    exported += by; //#v2: exported += by * 2;
    *cursor += by;
}

__attribute__((noinline)) void show(void) { printf("%ld %ld\n", exported, hidden[2]); }

void handle(const char *line) {
    if (is(line, "bump"))
        bump(argument(line));
    show();
}
