//#Lib:shop.c
//#ExpectClosure:handle
//#Send:go
//#Expect:1 from the library
//#Update:v2
//#Send:go
//#Expect:2 from the library
// The program changes and calls into an instrumented library through its PLT, and reads its variable.
#include "serve.h"

extern int stock;
const char *origin(void);

void handle(const char *line) { printf("%d from %s\n", stock, origin()); } //#v2: void handle(const char *line) { printf("%d from %s\n", stock + 1, origin()); }
