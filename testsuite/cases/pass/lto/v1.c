//#RunTool:$CC $CFLAGS -flto -fuse-ld=lld-19 main.c -o lto 2>lto.err; cat lto.err dsu.log
//#ToolOut:-flto
//#RunTool:patchgen base lto -o lto.dsubase
//#ToolError:4 [not-instrumented]
//#RunTool:$CC $CFLAGS -flto -c main.c -o lto.o; patchgen diff lto.o lto.o
//#ToolError:4 [lto-object]
//#Send:go
//#Expect:1
// With -flto the code is made when nobody of ours is there: passed through, said, and refused later.
#include "serve.h"

__attribute__((noinline)) int one(void) { return 1; }

void handle(const char *line) { printf("%d\n", one()); }
