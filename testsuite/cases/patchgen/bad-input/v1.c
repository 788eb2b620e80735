//#RunTool:clang-19 $CASE/v1.c -w -pthread -I$CASE/../../include -o plain; patchgen base plain -o plain.dsubase
//#ToolError:1 dsu-cc
//#RunTool:patchgen diff plain $V2
//#ToolError:1 plain
//#RunTool:patchgen diff $V1 no-such-file
//#ToolError:1 no-such-file
//#RunTool:patchgen diff $V1 main.c
//#ToolError:1 main.c
//#RunTool:: >empty; patchgen diff $V1 empty
//#ToolError:1 empty
//#RunTool:head -c 3000 $V1 >short; patchgen diff $V1 short
//#ToolError:1 short
//#RunTool:mkdir -p folder; patchgen diff $V1 folder
//#ToolError:1 folder
//#RunTool:patchgen diff $V1
//#ToolExit:2
//#RunTool:patchgen frobnicate
//#ToolExit:2
//#RunTool:patchgen build $V1 $V2 -o /dev/full
//#ToolError:1 /dev/full
//#RunTool:patchgen build $V1 $V2 -o no/such/folder/fix.dsu
//#ToolError:1 no/such/folder
//#RunTool:patchgen build $V1 $V1 -o same.dsu
//#ToolExit:3
//#RunTool:test ! -e same.dsu
//#RunTool:patchgen inspect $V1
//#ToolError:1 app
//#RunTool:patchgen inspect main.c
//#ToolError:1 main.c
//#RunTool:patchgen inspect $PATCH
//#ToolOut:work
//#RunTool:patchgen inspect $PATCH --dot
//#ToolOut:digraph
//#RunTool:patchgen diff $V1 $V2
//#ToolOut:work
//#RunTool:patchgen --help
//#ToolOut:patchgen build
//#Send:ask
//#Expect:old
// Each mistake of a person at the keyboard: one line, its own exit code, nothing written.
#include "serve.h"

__attribute__((noinline)) const char *work(void) { return "old"; }

void handle(const char *line) { puts(work()); }
