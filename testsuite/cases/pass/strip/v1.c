//#ExpectClosure:ask
//#Send:ask
//#Expect:1
//#RunTool:cp $V1 whole && patchgen base whole -o app.dsubase --strip && readelf -SW whole
//#ToolReject:debug.dsu
//#RunTool:patchgen build app.dsubase $V2 -o from-base.dsu
//#Update:v2 from-base.dsu
//#Send:ask
//#Expect:2
//#Revert
//#Send:ask
//#Expect:1
//#RunTool:patchgen diff whole $V2
//#ToolError:4 [not-instrumented]
//#RunTool:cp $V1 stripped && strip stripped && ./stripped </dev/null && patchgen diff stripped $V2
//#ToolError:4 [not-instrumented]
//#RunTool:patchgen diff app.dsubase $V1
//#ToolExit:3
// What ships can be small: the past lies in a file of its own, and fits the running program all the same.
#include "serve.h"

__attribute__((noinline)) int ask(void) {
    int value = 1; //#v2: int value = 2;
    __asm__ volatile("" : "+r"(value));
    return value;
}

void handle(const char *line) { printf("%d\n", ask()); }
