#include "serve.h"

struct item {
    long number;
    long count;
    long price;
};

static struct item shelf[2];

void handle(const char *line) {
    struct item *item = &shelf[opaque_number(line[0] - '0') & 1];
    item->number = line[0] - '0';
    item->count++;
    item->price = opaque_number(7);
    printf("%ld %ld %ld\n", item->number, item->count, item->price);
}
