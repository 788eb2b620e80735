//#ExpectRefused:data-changed limit
//#ExpectRefused:data-changed seen
//#RunTool:patchgen build $V1 $V2 -o no.dsu --hooks $CASE/hooks.c
//#ToolError:4 name the limit
//#RunTool:patchgen build $V1 $V2 -o fix.dsu --hooks $CASE/hooks.c --hooks-flag=-DLIMIT=25 && patchgen inspect fix.dsu --json
//#ToolOut:"post_apply":
//#ToolOut:"pre_apply":
//#ToolOut:"pre_revert":
//#ToolOut:"post_revert":
//#ToolOut:hook: gives `handle_seen` its value when every thread has moved
//#RunTool:patchgen report $V1 $V2 --patch fix.dsu --hooks $CASE/hooks.c --hooks-flag=-DLIMIT=25
//#ToolOut:Hooks run on a thread of the runtime's
//#Send:set 101
//#Expect:old 101 0
//#RunTool:dsuctl apply $PID fix.dsu
//#ToolError:36 its hook `dsu_pre_apply` said no
//#Send:show
//#Expect:old 102 0
//#Send:set 10
//#Expect:old 11 0
//#RunTool:dsuctl apply $PID fix.dsu
//#Send:show
//#Expect:new 28 7
//#Send:refuse 9
//#Expect:new 46 7
//#RunTool:dsuctl revert $PID
//#ToolError:36 its hook `dsu_pre_revert` said no
//#Send:refuse -9
//#Expect:new 28 7
//#RunTool:dsuctl revert $PID
//#Send:show
//#Expect:old 12 7
// Both directions can be vetoed. Two variables get their new values from transformers, one of them a static local;
// the hooks reach a static function and a static variable of the program, and what only the new build has.
#include "serve.h"

int limit = 10; //#v2: int limit = 20;
static int vetoes;
//#v2+:
//#v2+: __attribute__((noinline)) int twice(int value) { return (int)opaque_number(value) * 2; }

__attribute__((noinline)) static void refuse(int count) {
    vetoes += count;
    __asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) void show(int seen) { printf("%s %d %d\n", opaque("old"), limit + vetoes, seen); } //#v2: __attribute__((noinline)) void show(int seen) { printf("%s %d %d\n", opaque("new"), limit + vetoes, seen); }

void handle(const char *line) {
    static int seen = 0; //#v2: static int seen = 7;
    if (is(line, "set"))
        limit = (int)argument(line);
    else if (is(line, "see"))
        seen++;
    else if (is(line, "refuse"))
        refuse((int)argument(line)); //#v2: refuse(twice((int)argument(line)));
    show(seen);
}
