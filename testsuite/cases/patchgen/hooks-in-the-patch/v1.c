//#ExpectRefused:data-changed limit
//#ExpectRefused:data-changed seen
//#RunTool:patchgen build $V1 $V2 -o no.dsu --hooks $CASE/hooks.c
//#ToolError:4 name the limit
//#RunTool:patchgen build $V1 $V2 -o fix.dsu --hooks $CASE/hooks.c --hooks-flag=-DLIMIT=25 && patchgen inspect fix.dsu --json
//#ToolOut:"post_apply":
//#ToolOut:"pre_apply":
//#ToolOut:"pre_revert":
//#ToolReject:"post_revert":
//#ToolOut:hook: gives `handle_seen` its value when every thread has moved
//#Send:show
//#Expect:old 10 0
// Two variables get their new values from transformers, one of them a static local; the hooks reach a static
// function and a static variable of the program, and a function that only the new build has.
#include "serve.h"

int limit = 10;
static int vetoes;

__attribute__((noinline)) static void refuse(int count) {
    vetoes += count;
    __asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) void show(int seen) { printf("%s %d %d\n", opaque("old"), limit + vetoes, seen); }

void handle(const char *line) {
    static int seen = 0;
    if (is(line, "raise")) {
        limit++;
        seen++;
        refuse((int)opaque_number(0));
    }
    show(seen);
}
