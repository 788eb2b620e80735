//#RunTool:$CC $CFLAGS -static main.c -o static; code=$?; cat dsu.log; exit $code
//#ToolOut:-static
//#RunTool:patchgen diff static static
//#ToolError:4 [static-executable]
//#RunTool:echo go | ./static
//#ToolOut:1
//#Send:go
//#Expect:1
// A static program has no dynamic linker to load a patch with.
#include "serve.h"

__attribute__((noinline)) int one(void) { return 1; }

void handle(const char *line) { printf("%d\n", one()); }
