//#Send:ask
//#Expect:old
//#RunTool:dsuctl status $PID --json
//#ToolOut:"generation": 0
//#RunTool:dsuctl ps --json
//#ToolOut:"pid"
//#Update:v2
//#RunTool:dsuctl status $PID --json
//#ToolOut:"work"
//#RunTool:dsuctl status $PID
//#ToolOut:work
//#RunTool:dsuctl ps
//#ToolOut:app
//#Revert
//#RunTool:dsuctl status $PID --json
//#ToolReject:"work"
#include "serve.h"

__attribute__((noinline)) const char *work(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) { puts(work()); }
