//#ExpectClosure:visit
//#Send:go
//#Expect:no limit
//#Update:v2
//#Send:go
//#Expect:limit 11
//#ApplyFails:v3 37 its type, size or initial value differs; revert that patch to the base first
//#Send:go
//#Expect:limit 12
//#Revert
//#Update:v3
//#Send:go
//#Expect:limit 21
//#NoOracle:a fresh v3 starts to count with the first line
// A variable that a patch added and the next one begins with another value is another variable: it is not carried over.
#include "serve.h"

__attribute__((noinline)) void visit(void) { puts("no limit"); }

void handle(const char *line) { visit(); }
