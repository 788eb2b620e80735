//#ExpectRefused:layout-changed returns a pointer
//#Send:keep 3
//#Send:show
//#Expect:3
// A function hands the object out.
#include "serve.h"

struct request {
    int kind;
    //#v2+: long weight[4];
    long number;
};

__attribute__((noinline)) static struct request *make(long number) {
    struct request *r = malloc(sizeof *r);
    if (r)
        r->number = number;
    return r;
}

void handle(const char *line) {
    struct request *r = make(is(line, "keep") ? argument(line) : 3);
    if (r && is(line, "show"))
        printf("%ld\n", r->number);
    free(r);
}
