//#ExpectRefused:layout-changed item
//#Send:add 3
//#Send:show
//#Expect:3
// Objects of the old layout are alive, and only a pointer leads to them.
#include "serve.h"

struct item {
    struct item *next;
    int kind;
    long price;
    //#v2+: long count;
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
