//#Requires:gcc
//#Build:gcc -O2 -fPIC -c plain.c -o plain.o && $CC $CFLAGS $LDFLAGS main.c plain.o -o app
//#ExpectRefused:unexplained-data .rodata
//#RunTool:patchgen build $V1 $V2 -o fix.dsu
//#ToolError:4 used by `names`
//#Send:go
//#Expect:4 one
// A string in a table of an object of another compiler: it has no name, the table leads to it.
#include "serve.h"

int limit_of(int);
const char *name_of(int);

void handle(const char *line) { printf("%d %s\n", limit_of(line[0] == 'x'), name_of(line[0] == 'g')); }
