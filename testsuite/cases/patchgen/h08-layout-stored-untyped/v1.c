//#ExpectRefused:layout-changed the compiler
//#Send:keep 3
//#Send:show
//#Expect:3
// Where the object goes, nothing tells its type.
#include "serve.h"

struct request {
    int kind;
    //#v2+: long weight[4];
    long number;
};

static void *kept;

void handle(const char *line) {
    if (is(line, "keep")) {
        struct request *r = malloc(sizeof *r);
        r->kind = 1;
        r->number = argument(line);
        kept = r;
    } else {
        struct request *r = kept;
        printf("%ld\n", r ? r->number : 0);
    }
}
