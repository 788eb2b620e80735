//#ExpectRefused:layout-changed in `compare
//#Send:keep 3
//#Send:show
//#Expect:3
// A callback gets the objects as `const void *`.
#include "serve.h"

struct request {
    int kind;
    //#v2+: long weight[4];
    long number;
};

__attribute__((noinline)) static int compare(const void *a, const void *b) {
    const struct request *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

void handle(const char *line) {
    struct request all[3] = {{.number = 9}, {.number = 3}, {.number = 4}};
    qsort(all, 3, sizeof all[0], compare);
    if (is(line, "show"))
        printf("%ld\n", all[0].number);
}
