//#Requires:gcc
//#Build:gcc -O2 -fPIC -c plain.c -o plain.o && $CC $CFLAGS $LDFLAGS main.c plain.o -o app
//#ExpectRefused:unexplained-data limit
//#RunTool:patchgen build $V1 $V2 -o fix.dsu
//#ToolError:4 `limit`: differs at 0x0, in section `.data` (from `plain.c`)
//#Send:go
//#Expect:4 one
// The initial value of a variable that only an object of another compiler knows.
#include "serve.h"

int limit_of(int);
const char *name_of(int);

void handle(const char *line) { printf("%d %s\n", limit_of(line[0] == 'x'), name_of(line[0] == 'g')); }
