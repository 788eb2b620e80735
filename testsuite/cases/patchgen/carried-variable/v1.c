//#NoOracle:a fresh v3 starts to count with the first line
//#ExpectClosure:visit
//#Send:go
//#Expect:visited
//#Update:v2
//#Send:go
//#Expect:visit 1, 1 by name, second version
//#Send:go
//#Expect:visit 2, 2 by name, second version
//#RunTool:patchgen inspect $PATCH
//#ToolOut:carries     visits, 8 bytes
//#ToolOut:carries     visit.calls, 4 bytes
//#Update:v3
//#Send:go
//#Expect:visit 3, 3 by name, third version
//#Reject:visit 1, 1 by name, third version
// What one patch adds and counts in, the next one goes on with: a variable, and a static local.
#include "serve.h"

__attribute__((noinline)) void visit(void) { puts("visited"); }

void handle(const char *line) { visit(); }
