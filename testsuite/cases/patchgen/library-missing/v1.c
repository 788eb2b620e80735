//#Lib:shop.c
//#ExpectClosure:handle
//#RunTool:mkdir -p alone && cp app alone/ && patchgen build alone/app $V2 -o fix.dsu
//#ToolError:4 [library-missing]
//#Send:go
//#Expect:1
// patchgen looks at the libraries of the base, as the dynamic linker will.
#include "serve.h"

int stock(void);

void handle(const char *line) { printf("%d\n", stock()); } //#v2: void handle(const char *line) { printf("%d\n", stock() + 1); }
