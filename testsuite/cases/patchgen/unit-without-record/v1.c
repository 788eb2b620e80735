//#Unit:helper.c
//#RunTool:mkdir -p mixed && cp main.c helper.c mixed/ && cd mixed && clang-19 -O2 -g -c helper.c && $CC $CFLAGS -c main.c && $CC main.o helper.o -o app $LDFLAGS && patchgen diff $V1 app
//#ToolError:4 helper.c
//#RunTool:patchgen diff mixed/app $V1
//#ToolError:4 [not-instrumented]
//#Send:go
//#Expect:5
// One unit was compiled by plain clang in one of the builds: what it does there, nobody knows.
#include "serve.h"

int help(int n);

void handle(const char *line) { printf("%d\n", help(4)); }
