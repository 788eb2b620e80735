//#Dispatch:armed
//#Lib:shop.c
//#Module:libshop.so
//#ExpectRefused:data-changed prices
//#RunTool:patchgen build $V1 $V2 -o fix.dsu --accept prices --because "nobody else uses it"
//#ToolError:1 which cannot be overridden
//#Send:price 1
//#Expect:20
// A library's own code finds its exported variable through the dynamic linker, which knows one of each name.
#include "serve.h"

long price(long number);

void handle(const char *line) { printf("%ld\n", price(argument(line))); }
