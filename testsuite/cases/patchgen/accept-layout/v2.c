#include "serve.h"

struct item {
    struct item *next;
    int kind;
    long price;
    long tax;
};

static struct item *head;

void handle(const char *line) {
    if (is(line, "add")) {
        struct item *item = (struct item *)calloc(1, 128);
        item->next = head;
        item->price = argument(line);
        item->tax = item->price / 10;
        head = item;
    } else {
        for (struct item *item = head; item; item = item->next)
            printf("%ld + %ld\n", item->price, item->tax);
    }
}
