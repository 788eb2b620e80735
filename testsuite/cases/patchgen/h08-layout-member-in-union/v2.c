#include "serve.h"

struct node {
    union {
        struct node *next;
        unsigned long marked;
    } u;
    long value;
};

static struct node head;

/* The optimiser leaves it whole. */
static inline struct node *anchor(void) { return (struct node *)opaque((char *)&head); }

__attribute__((noinline)) static void add(long value) {
    struct node *node = malloc(sizeof *node);
    node->u.next = anchor()->u.next;
    node->value = value;
    anchor()->u.next = node;
    if (value > 3)
        anchor()->u.marked |= 1;
}

__attribute__((noinline)) static void sum(void) {
    long all = 0, marked = 0;
    union {
        struct node *next;
        unsigned long marked;
    } at = {anchor()->u.next};
    while (at.next) {
        struct node *node;
        marked += at.marked & 1;
        at.marked &= ~1ul;
        node = at.next;
        all += node->value;
        at.next = node->u.next;
    }
    printf("%ld, %ld of them marked\n", all, marked);
}

void handle(const char *line) {
    add(argument(line));
    sum();
}
