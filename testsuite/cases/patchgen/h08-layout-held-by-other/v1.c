//#ExpectRefused:layout-changed type `queue`
//#Send:keep 3
//#Send:show
//#Expect:3
// Another structure leads to it.
#include "serve.h"

struct request {
    int kind;
    //#v2+: long weight[4];
    long number;
};

struct queue {
    struct request *first;
};

__attribute__((noinline)) static void push(struct queue *q, struct request *r) { q->first = r; }

void handle(const char *line) {
    struct request r = {.kind = 1, .number = 3};
    struct queue q = {0};
    push(&q, &r);
    if (is(line, "show"))
        printf("%ld\n", q.first->number);
}
