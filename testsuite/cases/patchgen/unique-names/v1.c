//#CompArgs:-O2 -funique-internal-linkage-names
//#ExpectSaid:its body changed
//#Send:go
//#Expect:1 2
//#Update:v2
//#Send:go
//#Expect:30 50
//#Config:optimised
//#Config:unoptimised
//#CompArgs:-O0 -funique-internal-linkage-names
//#Config:elsewhere
//#RunTool:mkdir -p here there && cp main.c here && cp main.c there && for d in here there; do $CC $CFLAGS $PWD/$d/main.c -o $d/app $LDFLAGS || exit 1; done && patchgen diff here/app there/app
//#ToolExit:3
//#ToolOut:nothing that runs would change
// The name of a static function has the hash of its unit's path in it, and that of a table with its address has not.
#include "serve.h"

__attribute__((noinline)) static int step(int n) {
    static int calls;
    return n * 1 + calls++ * 0;
}
static int (*volatile table[])(int) = {step, step};
void handle(const char *line) { printf("%d %d\n", table[0](1), table[1](2)); }
