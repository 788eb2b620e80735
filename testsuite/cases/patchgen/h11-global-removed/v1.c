//#ExpectChanged:old(removed), handle(body)
//#ExpectClosure:handle
//#Send:go
//#Expect:3
//#Update:v2
//#Send:go
//#Expect:1
// Who is gone from the source stays in the process: nobody new uses it.
#include "serve.h"

volatile int old = 3; //#v2-

void handle(const char *line) { printf("%d\n", (int)opaque_number(old)); } //#v2: void handle(const char *line) { printf("%d\n", (int)opaque_number(1)); }
