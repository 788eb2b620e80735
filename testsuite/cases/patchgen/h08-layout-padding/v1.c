//#ExpectRefused:layout-changed padding
//#ExpectSaid:variable `head` (main.c:
//#Send:add 3
//#Send:show
//#Expect:3
// The new member lies where nothing was: size and places stay, but what old objects hold there is garbage.
#include "serve.h"

struct item {
    struct item *next;
    int kind;
    //#v2+: int flags;
    long price;
};

static struct item *head;

void handle(const char *line) {
    if (is(line, "add")) {
        struct item *item = malloc(sizeof *item);
        item->next = head;
        item->price = argument(line);
        head = item;
    } else {
        for (struct item *item = head; item; item = item->next)
            printf("%ld\n", item->price); //#v2: printf("%ld\n", item->price + (item->flags & 1));
    }
}
