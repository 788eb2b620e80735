//#Env:DSU_RUNTIME_DIR=/proc/nowhere
//#Send:ask
//#Expect:old
//#RunTool:dsuctl status $PID
//#ToolError:13 DSU_RUNTIME_DIR
//#Send:ask
//#Expect:old
// The program runs all the same; one line says why it cannot be updated.
#include "serve.h"

__attribute__((noinline)) const char *work(void) { return opaque("old"); }

void handle(const char *line) { puts(work()); }
