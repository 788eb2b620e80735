//#ExpectRefused:not-by-thread its calling convention leaves no register to a dispatch stub
//#RunTool:patchgen build --consistency newest $V1 $V2 -o newest.dsu
//#ToolOut:consistency newest, because it was asked for
//#Send:go 3
//#Expect:old 3 old
// Two functions that must change together, one of which takes its argument where a stub needs a register.
#include "serve.h"

__attribute__((noinline)) const char *word(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *word(void) { return opaque("new"); }

__attribute__((noinline, regcall)) void both(long n) { printf("%s %ld old\n", word(), n); } //#v2: __attribute__((noinline, regcall)) void both(long n) { printf("%s %ld new\n", word(), n); }

void handle(const char *line) { both(argument(line)); }
