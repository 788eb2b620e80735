//#ExpectRefused:data-changed limit
//#RunTool:patchgen build $V1 $V2 -o fix.dsu --accept limit --because "operators set it"
//#RunTool:patchgen build $V1 $V2 -o other.dsu --accept show --because "not a problem"
//#ToolError:1 is no open problem; to be accepted there is `limit`
//#Send:show
//#Expect:limit 10
//#RunTool:dsuctl apply $PID fix.dsu
//#ToolOut:`limit`: data-changed; operators set it
//#Send:show
//#Expect:the limit is 10
// The fix is in the code; the new default is for the next start.
#include "serve.h"

int limit = 10; //#v2: int limit = 20;

__attribute__((noinline)) void show(void) { printf("%s %d\n", opaque("limit"), limit); } //#v2: __attribute__((noinline)) void show(void) { printf("%s is %d\n", opaque("the limit"), limit); }

void handle(const char *line) {
    if (is(line, "raise"))
        limit++;
    show();
}
