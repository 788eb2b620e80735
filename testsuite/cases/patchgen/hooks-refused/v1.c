//#RunTool:echo 'int dsu_before_apply(void) { return 0; }' >h.c; patchgen build $V1 $V2 -o fix.dsu --hooks h.c
//#ToolError:4 `dsu_before_apply`: is no hook; there are `dsu_pre_apply`
//#RunTool:echo 'void dsu_pre_apply(void) {}' >h.c; patchgen build $V1 $V2 -o fix.dsu --hooks h.c
//#ToolError:4 must be `int dsu_pre_apply(void)`
//#RunTool:echo 'int limit = 3; int dsu_pre_apply(void) { return limit; }' >h.c; patchgen diff $V1 $V2 --hooks h.c
//#ToolError:4 `limit`: is defined by the program, too; declare it `extern`
//#RunTool:echo 'int helper(void) { return 3; }' >h.c; patchgen build $V1 $V2 -o fix.dsu --hooks h.c
//#ToolError:4 defines neither a transformer nor one of
//#RunTool:echo 'int dsu_pre_apply(void) { return oops; }' >h.c; patchgen build $V1 $V2 -o fix.dsu --hooks h.c
//#ToolError:4 does not compile
//#RunTool:patchgen build $V1 $V2 -o fix.dsu --hooks missing.c
//#ToolError:4 [bad-hooks]
//#RunTool:echo 'int nowhere(void); int dsu_pre_apply(void) { return nowhere(); }' >h.c; patchgen build $V1 $V2 -o fix.dsu --hooks h.c
//#ToolError:4 [unresolved-symbol]
//#RunTool:echo 'void dsu_transform_limit(const void *o, void *n) {}' >h.c; patchgen build $V1 $V2 -o fix.dsu --hooks h.c
//#ToolError:4 `dsu_transform_limit`: belongs to no variable of which only the initial value changed
//#RunTool:test ! -e fix.dsu
//#Send:show
//#Expect:old 10
// What the runtime could not call, and what would not mean the program's own thing.
#include "serve.h"

int limit = 10;

__attribute__((noinline)) void show(void) { printf("%s %d\n", opaque("old"), limit); } //#v2: __attribute__((noinline)) void show(void) { printf("%s %d\n", opaque("new"), limit); }

void handle(const char *line) {
    if (is(line, "raise"))
        limit++;
    show();
}
