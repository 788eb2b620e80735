//#ExpectRefused:layout-changed converted to it
//#Send:keep 3
//#Send:show
//#Expect:3
// A context that travels as `void *`.
#include "serve.h"

struct request {
    int kind;
    //#v2+: long weight[4];
    long number;
};

static char room[256] __attribute__((aligned(16)));

__attribute__((noinline)) static void visit(void *context) {
    printf("%ld\n", ((struct request *)context)->number);
}

__attribute__((noinline)) static void keep(long number) {
    struct request r = {.kind = 1, .number = number};
    memcpy(room, &r, sizeof r);
}

void handle(const char *line) {
    if (is(line, "keep"))
        keep(argument(line));
    else
        visit(room);
}
