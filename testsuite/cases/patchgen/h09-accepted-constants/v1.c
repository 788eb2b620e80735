//#ExpectRefused:data-changed `current` (main.c:
//#ExpectRefused:data-changed was a variable and would become a constant
//#RunTool:patchgen build $V1 $V2 -o ok.dsu --accept "table, current" --because "what current leads to may stay as it is" --accept limit --because "nobody has ever written to it"
//#ToolOut:accepted  limit: was a variable and would become a constant
//#Send:go 2
//#Expect:20 20 of 3
//#RunTool:dsuctl apply $PID ok.dsu
//#ToolOut:limit
//#Send:go 2
//#Expect:20 21 of 3, new
// A constant that something leads to, and a variable that becomes a constant: a person may know that this is fine.
#include "serve.h"

static const int table[4] = {0, 10, 20, 30};
static const int *volatile current = table;
static int limit = 3;

__attribute__((noinline)) static int *the_limit(void) { return (int *)opaque((char *)&limit); }

void handle(const char *line) { printf("%d %d of %d\n", current[argument(line) & 3], table[argument(line) & 3], *the_limit()); }
