//#Unit:tables.c
//#RunTool:patchgen build --all-functions $V1 -o same.dsu
//#ToolOut:functions by copies of themselves
//#ToolOut:left out  1: its source says
//#Send:go 3
//#Expect:call 1: two, same table, same label
//#Update:v1 same.dsu
//#Send:go 3
//#Expect:call 2: two, same table, same label
//#Send:go 1
//#Expect:call 3: zero, same table, same label
//#Revert
//#Send:go 3
//#Expect:call 4: two, same table, same label
//#RunTool:patchgen build --all-functions $V1 $V1 -o same.dsu
//#ToolExit:2
//#RunTool:patchgen build $V1 -o same.dsu
//#ToolExit:2
// Every function is replaced by a copy of itself: state, also that of static locals and of label tables, stays in
// the program, and addresses compare equal across the versions.
#include "serve.h"
#include <dsu.h>

extern const char *const words[];
const char *const *table(void);
int next_label(int n);

static const char *const *first_table;
static int first_label = -1;

DSU_NEVER __attribute__((noinline)) static const char *const *untouched(void) { return words; }

__attribute__((noinline)) static int calls(void) {
    static int count;
    return ++count;
}

// One of two, as the optimiser finds out: it notes their names at the call.
__attribute__((noinline)) static int same(int x) { return x; }
__attribute__((noinline)) static int plus_zero(int x) { return x + (int)opaque_number(0); }
__attribute__((noinline)) static int either(int (*step)(int), int x) { return step(step(x)); }

void handle(const char *line) {
    int n = (int)argument(line);
    n = n > 1 ? either(same, n) : either(plus_zero, n);
    if (!first_table)
        first_table = untouched();
    if (first_label < 0)
        first_label = next_label(0);
    printf("call %d: %s, %s table, %s label\n", calls(), table()[n - 1], table() == first_table ? "same" : "another",
           next_label(0) == first_label ? "same" : "another");
}
