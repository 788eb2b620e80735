//#ExpectRefused:constructor is a new destructor; a process that was patched ends without it
//#NoOracle:a fresh v2 says good bye
//#RunTool:patchgen build $V1 $V2 -o fix.dsu --accept farewell --because "what it frees ends with the process"
//#ToolOut:accepted  farewell: is a new destructor
//#Send:go
//#Expect:1
//#RunTool:dsuctl apply $PID fix.dsu
//#Send:go
//#Expect:2
// The patched process cannot run it when it ends; a person may say that this is no loss.
#include "serve.h"

__attribute__((noinline)) static long value(void) { return opaque_number(1); } //#v2: __attribute__((noinline)) static long value(void) { return opaque_number(2); }
//#v2+:
//#v2+: __attribute__((destructor)) static void farewell(void) { puts("good bye"); }

void handle(const char *line) {
    (void)line;
    printf("%ld\n", value());
}
