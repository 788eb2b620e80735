//#Send:ask
//#Expect:old
//#RunTool:mkdir -p other && sed s/old/another/ main.c >other/main.c && cd other && $CC $CFLAGS main.c -o app $LDFLAGS
//#RunTool:patchgen build other/app $V2 -o other.dsu
//#ApplyFails:other.dsu 24 is not loaded
//#Send:ask
//#Expect:old
//#Update:v2
//#Send:ask
//#Expect:new
//#ApplyFails:other.dsu 24 is not loaded
//#Send:ask
//#Expect:new
// A patch for another build of the same program.
#include "serve.h"

__attribute__((noinline)) const char *work(void) { return opaque("old"); } //#v2: __attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) { puts(work()); }
