//#Consistency:newest
//#ExpectClosure:handle, show
//#Send:go 3
//#Expect:3
//#Send:none
//#Expect:none
//#Update:v2
//#Send:go 7
//#Expect:7
//#Send:none
//#Expect:none
// A pointer that is null for good leads to no object, whatever its type says.
#include "serve.h"

struct request {
    int kind;
    //#v2+: char tag[40];
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
    //#v2+: memset(r.tag, 0x55, sizeof r.tag);
    r.number = argument(line);
    show(is(line, "none") ? defaults[opaque_number(1)] : &r);
}
