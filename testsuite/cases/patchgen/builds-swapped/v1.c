//#RunTool:patchgen diff $V1 $V2 --running $PID
//#ToolOut:becomes
//#RunTool:patchgen diff $V2 $V1 --running $PID
//#ToolError:4 [swapped-builds]
//#RunTool:patchgen build $V2 $V1 -o wrong.dsu --running $V1
//#ToolError:4 give the running build first
//#RunTool:patchgen base $V2 -o v2.dsubase && patchgen diff $V1 $V2 --running v2.dsubase
//#ToolError:4 [swapped-builds]
//#RunTool:patchgen diff $V1 $V2 --running $(command -v patchgen)
//#ToolError:4 [other-base]
//#RunTool:patchgen diff $V1 $V2 --running no-such-file
//#ToolError:1 [unreadable]
//#RunTool:patchgen diff $V1 $V2
//#ToolOut:only this one can be patched
//#Send:ask
//#Expect:old
// The wrong way round, the patch would take the fix back: the running process can tell.
#include "serve.h"

__attribute__((noinline)) const char *work(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) { puts(work()); }
