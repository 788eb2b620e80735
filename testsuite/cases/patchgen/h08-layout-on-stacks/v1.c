//#Consistency:newest
//#ExpectChanged:request(type), handle(body), fill(signature), show(signature)
//#ExpectClosure:handle, show
//#ExpectClosure:fill: signature
//#Send:go 3
//#Expect:3 n3
//#Send:hold 5
//#Update:v2
//#Send:more
//#Expect:5 n5
//#Send:go 7
//#Expect:7 n7
// Objects of the type live in one call and are handed down by pointer. A call that began before the update ends
// with the old functions, which know its object.
#include "serve.h"

struct request {
    int kind;
    //#v2+: char tag[40];
    long number;
    char name[16];
};

__attribute__((noinline)) static void fill(struct request *r, long number) {
    r->kind = 1;
    //#v2+: memset(r->tag, 0x55, sizeof r->tag);
    r->number = number;
    snprintf(r->name, sizeof r->name, "n%ld", number);
}

__attribute__((noinline)) static void show(const struct request *r) { printf("%ld %s\n", r->number, r->name); }

void handle(const char *line) {
    struct request r;
    memset(&r, 0, sizeof r);
    fill(&r, argument(line));
    if (is(line, "hold")) {
        char more[16];
        serve_ready();
        fgets(more, sizeof more, stdin);
    }
    show(&r);
}
