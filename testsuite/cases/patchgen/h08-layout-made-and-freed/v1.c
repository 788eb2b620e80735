//#ExpectClosure:handle, fill
//#Send:go 3
//#Expect:3
//#Update:v2
//#Send:go 7
//#Expect:7
// Objects of the type are allocated and freed by one and the same call.
#include "serve.h"

struct request {
    int kind;
    //#v2+: long weight[4];
    long number;
};

__attribute__((noinline)) static void fill(struct request *r, long number) {
    r->kind = 1;
    //#v2+: r->weight[3] = 9;
    r->number = number;
}

void handle(const char *line) {
    struct request *r = malloc(sizeof *r);
    if (!r)
        return;
    fill(r, argument(line));
    printf("%ld\n", r->number);
    free(r);
}
