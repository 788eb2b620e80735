//#ExpectClosure:show
//#Send:show 1
//#Expect:two
//#Send:show 0
//#Expect:one
//#Update:v2
//#Send:show 1
//#Expect:zwei
//#Send:show 0
//#Expect:one
//#Revert
//#Send:show 1
//#Expect:two
// A constant table is content: the new code brings its own.
#include "serve.h"

static const char *const names[] = {"one", "two"}; //#v2: static const char *const names[] = {"one", "zwei"};

__attribute__((noinline)) void show(long n) { puts(names[n & 1]); }

void handle(const char *line) { show(argument(line)); }
