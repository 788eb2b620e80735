//#ExpectRefused:layout-changed item
//#Send:add 3
//#RunTool:patchgen build $V1 $V2 -o fix.dsu --accept item
//#ToolExit:2
//#ToolOut:each `--accept NAME` needs a `--because WHY`
//#RunTool:patchgen build $V1 $V2 -o fix.dsu --because unused
//#ToolExit:2
//#RunTool:patchgen build $V1 $V2 -o fix.dsu --accept item --because "calloc has room" && patchgen inspect fix.dsu
//#ToolOut:accepted    item: `tax` is new at offset 24
//#ToolOut:because calloc has room
//#RunTool:patchgen diff $V1 $V2 --json --accept "struct item" --because "calloc has room"
//#ToolOut:"because": "calloc has room"
//#RunTool:patchgen build $V1 $V2 -o other.dsu --accept list --because "no such type"
//#ToolError:1 there is `item`; take names from the refusals that `patchgen diff` shows [nothing-to-accept]
//#RunTool:test ! -e other.dsu
//#RunTool:dsuctl apply $PID fix.dsu
//#ToolOut:accepted risk `item`: layout-changed; calloc has room
//#Send:show
//#Expect:3 + 0
// Every object has room behind it, which the compiler cannot know. The override is recorded, and shown.
#include "serve.h"

struct item {
    struct item *next;
    int kind;
    long price;
    //#v2+: long tax;
};

static struct item *head;

void handle(const char *line) {
    if (is(line, "add")) {
        struct item *item = (struct item *)calloc(1, 128);
        item->next = head;
        item->price = argument(line);
        //#v2+: item->tax = item->price / 10;
        head = item;
    } else {
        for (struct item *item = head; item; item = item->next)
            printf("%ld\n", item->price); //#v2: printf("%ld + %ld\n", item->price, item->tax);
    }
}
