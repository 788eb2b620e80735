//#NoOracle:its counters go on
//#ExpectRefused:data-changed is `[2 x i64], align 16` in the running process and would become `%struct.pair, align 8`
//#RunTool:patchgen build $V1 $V2 -o fix.dsu --accept counts --because "the same two numbers"
//#Send:add 0
//#Expect:1 0
//#Send:add 1
//#Expect:1 1
//#RunTool:dsuctl apply --consistency newest $PID fix.dsu
//#Send:add 0
//#Expect:2 and 1
//#RunTool:dsuctl revert $PID
//#Send:add 1
//#Expect:2 2
// The same storage with other names for its parts: accepted, it keeps its value.
#include "serve.h"

static long counts[2];

__attribute__((noinline)) static void add(long number) {
    counts[opaque_number(number)]++;
}

__attribute__((noinline)) static void show(void) { printf("%ld %ld\n", counts[0], counts[1]); }

void handle(const char *line) {
    add(argument(line));
    show();
}
