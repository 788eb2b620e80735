//#ExpectRefused:layout-changed bytes are copied
//#Send:keep 3
//#Send:show
//#Expect:3
// The bytes of the object outlive it, in memory of no type.
#include "serve.h"

struct request {
    int kind;
    //#v2+: long weight[4];
    long number;
};

static char kept[256];

__attribute__((noinline)) static void fill(struct request *r, long number) {
    r->kind = 1;
    r->number = number;
}

__attribute__((noinline)) static void print(struct request *r) { printf("%ld\n", r->number); }

void handle(const char *line) {
    struct request r;
    if (is(line, "keep")) {
        fill(&r, argument(line));
        memcpy(kept, &r, sizeof r);
    } else {
        memcpy(&r, kept, sizeof r);
        print(&r);
    }
}
