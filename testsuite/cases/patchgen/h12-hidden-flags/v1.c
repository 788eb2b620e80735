//#RunTool:mkdir -p other && cp main.c other/ && cd other && CCC_OVERRIDE_OPTIONS='# +-fcf-protection=full' $CC $CFLAGS main.c -o app $LDFLAGS && patchgen diff $V1 app
//#ToolError:4 cf-protection
//#Send:go
//#Expect:1
// A flag that is on no command line: the compiler takes it from elsewhere, and each module says so.
#include "serve.h"

__attribute__((noinline)) int one(void) { return (int)opaque_number(1); }

void handle(const char *line) { printf("%d\n", one()); }
