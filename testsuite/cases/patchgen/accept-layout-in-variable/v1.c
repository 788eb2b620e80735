//#NoOracle:it is reinitialised
//#ExpectRefused:layout-changed item
//#ExpectRefused:data-changed is `[2 x %struct.item], align 16`, which is laid out differently: new code could only have one of its own
//#RunTool:patchgen build $V1 $V2 -o no.dsu --accept item --because "nobody has one"
//#ToolError:4 `shelf`
//#RunTool:test ! -e no.dsu; patchgen build $V1 $V2 -o fix.dsu --accept "item, shelf" --because "what is in it can be lost"
//#Send:1
//#Expect:1 1
//#Send:1
//#Expect:1 2
//#RunTool:dsuctl apply $PID fix.dsu
//#Send:1
//#Expect:1 1 7
//#RunTool:dsuctl revert $PID
//#Send:1
//#Expect:1 3
// Whoever overrides the refusal of a type has not overridden that of the variable that has it: there is no room for the new member in there.
#include "serve.h"

struct item {
    long number;
    long count;
    //#v2+: long price;
};

static struct item shelf[2];

void handle(const char *line) {
    struct item *item = &shelf[opaque_number(line[0] - '0') & 1];
    item->number = line[0] - '0';
    item->count++;
    printf("%ld %ld\n", item->number, item->count); //#v2: item->price = opaque_number(7);
    //#v2+: printf("%ld %ld %ld\n", item->number, item->count, item->price);
}
