//#DsuArgs:--dsu-points=points.txt
//#Send:go 3
//#Expect:3
//#RunTool:dsuctl status $PID --json
//#ToolOut:"points": 1
// A point without touching the source: before the function that the file names.
#include "serve.h"

__attribute__((noinline)) long next_request(long n) { return opaque_number(n); }

void handle(const char *line) { printf("%ld\n", next_request(argument(line))); }
