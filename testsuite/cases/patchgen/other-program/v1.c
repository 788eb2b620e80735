//#RunTool:printf '#include <stdio.h>\nint main(void) { puts("other"); return 0; }\n' >other.c && $CC -O2 other.c -o other && patchgen diff $V1 other
//#ToolExit:4
//#ToolOut:[other-program]
//#RunTool:$CC -O2 -fPIC -shared other.c -o other.so && patchgen diff $V1 other.so
//#ToolExit:4
//#Send:ask
//#Expect:old
// Two builds that are not of the same thing.
#include "serve.h"

__attribute__((noinline)) const char *work(void) { return opaque("old"); }

void handle(const char *line) { puts(work()); }
