//#ExpectRefused:layout-changed item
//#RunTool:patchgen report $V1 $V2
//#ToolExit:4
//#ToolOut:    member `kind`: offset
//#ToolOut:    variable `head` (main.c:
//#RunTool:patchgen report $V1 $V2 --format html -o fix.html || cat fix.html
//#ToolOut:<td>member</td><td><code>kind</code>
//#RunTool:patchgen build --all-functions $V1 -o all.dsu --accept item --because it
//#ToolExit:2
//#ToolOut:cannot be used with
//#Send:add 3
//#Send:show
//#Expect:3
// Objects of the old layout are alive, and only a pointer leads to them.
#include "serve.h"

struct item {
    struct item *next;
    //#v2+: long price;
    int kind;
    long price; //#v2-
};

static struct item *head;

void handle(const char *line) {
    if (is(line, "add")) {
        struct item *item = (struct item *)calloc(1, sizeof *item);
        item->next = head;
        item->price = argument(line);
        head = item;
    } else {
        for (struct item *item = head; item; item = item->next)
            printf("%ld\n", item->price);
    }
}
