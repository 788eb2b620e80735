//#Unit:other.c
//#LinkArgs:-rdynamic
//#ExpectRefused:data-changed which is reinitialised; other modules keep the old one, as it is exported
//#ExpectRefused:data-changed new code could only have one of its own, which is reinitialised; `newest` keeps the address of the old one
//#RunTool:patchgen build $V1 $V2 -o fix.dsu --accept table,history,newest --because "counts are for a day"
//#ToolOut:accepted  table: is
//#ToolOut:replace   first_two of other.c: uses `table`, which is reinitialised
//#Send:add 0
//#Expect:1 in all
//#Send:add 1
//#Expect:2 in all
//#RunTool:dsuctl apply --consistency newest $PID fix.dsu
//#Send:add 2
//#Expect:1 in all
//#Send:add 0
//#Expect:2 in all
//#RunTool:dsuctl revert $PID
//#Send:add 0
//#Expect:3 in all
// A table that grew is another variable. Who accepts that gets all its users switched to the new one, unchanged ones too.
#include "serve.h"

#include "entry.h"

struct entry table[2] = {{0, "first"}, {0, "second"}}; //#v2: struct entry table[3] = {{0, "first"}, {0, "second"}, {0, "third"}};

static long history[2]; //#v2: static long history[3];
static long *volatile newest = history;

__attribute__((noinline)) static void add(long number) { table[number].count += opaque_number(1), *newest = number; }

__attribute__((noinline)) static long all(void) { return first_two(); } //#v2: __attribute__((noinline)) static long all(void) { return first_two() + table[2].count; }

void handle(const char *line) {
    add(argument(line));
    printf("%ld in all\n", all());
}
