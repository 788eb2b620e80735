//#Unit:part.S
//#ExpectRefused:unexplained-code has another instruction
//#RunTool:patchgen build $V1 $V2 -o fix.dsu
//#ToolError:4 `part`
//#RunTool:patchgen build $V1 $V2 -o fix.dsu --accept part --because "both are right"
//#RunTool:patchgen inspect fix.dsu
//#ToolOut:both are right
//#Send:abc
//#Expect:103 8
// A function in assembly changed beside one in C: no record tells of it, the bytes do.
#include "serve.h"

int part(int);

__attribute__((noinline)) static int here(long n) { return (int)n + 7; }

void handle(const char *line) { printf("%d %d\n", part((int)strlen(line)), here(opaque_number(1))); }
