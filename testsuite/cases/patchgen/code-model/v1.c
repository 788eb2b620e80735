//#RunTool:$CC $CFLAGS -mcmodel=large main.c -o large $LDFLAGS; cat dsu.log
//#ToolOut:mcmodel
//#RunTool:patchgen base large
//#ToolError:4 [not-instrumented]
//#Send:go
//#Expect:1
#include "serve.h"

__attribute__((noinline)) int work(void) {
    int value = 1;
    __asm__ volatile("" : "+r"(value));
    return value;
}
void handle(const char *line) { printf("%d\n", work()); }
