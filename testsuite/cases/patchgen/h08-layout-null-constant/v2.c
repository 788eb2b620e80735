#include "serve.h"

struct request {
    int kind;
    char tag[40];
    long number;
};

const struct request *const none = NULL;
struct request *const defaults[2] = {NULL, NULL};

__attribute__((noinline)) static void show(const struct request *r) {
    if (r == none)
        puts("none");
    else
        printf("%ld\n", r->number);
}

void handle(const char *line) {
    struct request r;
    memset(&r, 0, sizeof r);
    memset(r.tag, 0x55, sizeof r.tag);
    r.number = argument(line);
    show(is(line, "none") ? defaults[opaque_number(1)] : &r);
}
