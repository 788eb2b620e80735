//#ExpectSaid:consistency thread, because `both` calls `word` and both change
//#ExpectClosure:both, word
//#RunTool:patchgen inspect $PATCH
//#ToolOut:consistency thread, because
//#Send:go 3
//#Expect:old 3 old
//#Update:v2
//#Send:go 3
//#Expect:new 3 new
//#Revert
//#Send:go 3
//#Expect:old 3 old
// Two functions of which one calls the other: patchgen lets each thread switch both at once.
#include "serve.h"

__attribute__((noinline)) const char *word(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *word(void) { return opaque("new"); }

__attribute__((noinline)) void both(long n) { printf("%s %ld old\n", word(), n); } //#v2: __attribute__((noinline)) void both(long n) { printf("%s %ld new\n", word(), n); }

void handle(const char *line) { both(argument(line)); }
