//#ExpectChanged:add(body), head(global), sum(body)
//#ExpectClosure:add, sum
//#Send:add 3
//#Expect:3
//#Update:v2
//#Send:add 4
//#Expect:7, 1 of them marked
// A pointer that live objects have can be read as a number as well: the objects that exist are as they should be.
#include "serve.h"

struct node {
    struct node *next;
    long value;
};

static struct node head;

/* The optimiser leaves it whole. */
static inline struct node *anchor(void) { return (struct node *)opaque((char *)&head); }

__attribute__((noinline)) static void add(long value) {
    struct node *node = malloc(sizeof *node);
    node->next = anchor()->next;
    node->value = value;
    anchor()->next = node;
}

__attribute__((noinline)) static void sum(void) {
    long all = 0;
    for (struct node *node = anchor()->next; node; node = node->next)
        all += node->value;
    printf("%ld\n", all);
}

void handle(const char *line) {
    add(argument(line));
    sum();
}
