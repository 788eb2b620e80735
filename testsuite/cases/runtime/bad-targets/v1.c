//#Send:ask
//#Expect:old
//#RunTool:dsuctl apply 999999999 $PATCH
//#ToolError:10 999999999
//#RunTool:dsuctl status 999999999
//#ToolError:10 999999999
//#RunTool:dsuctl revert 999999999
//#ToolError:10 999999999
//#RunTool:sleep 20 & dsuctl apply $! $PATCH; code=$?; kill $!; exit $code
//#ToolError:11 dsu-cc
//#RunTool:dsuctl apply nonsense $PATCH
//#ToolExit:2
//#RunTool:dsuctl revert $PID
//#ToolError:3 nothing
//#RunTool:dsuctl status $PID
//#ToolOut:app
//#Send:ask
//#Expect:old
// Processes that are not there, or have no runtime.
#include "serve.h"

__attribute__((noinline)) const char *work(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) { puts(work()); }
