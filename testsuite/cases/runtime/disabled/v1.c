//#RunTool:DSU_DISABLE=1 $CC $CFLAGS main.c -o plain $LDFLAGS && readelf -SW plain
//#ToolReject:dsu
//#RunTool:DSU_DISABLE=1 $CC --version
//#ToolOut:clang version 19
//#Send:ask
//#Expect:old
// DSU_DISABLE=1 makes the wrapper what it wraps.
#include "serve.h"

void handle(const char *line) { puts("old"); }
