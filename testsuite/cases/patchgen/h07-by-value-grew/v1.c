//#ExpectChanged:box(type), weigh(signature), handle(body)
//#ExpectClosure:handle, weigh
//#Send:go 3
//#Expect:15
//#Update:v2
//#Send:go 3
//#Expect:18
// Handed over by value, in memory: who is still running writes the old size.
#include "serve.h"

struct box {
    long a, b, c, d, e; //#v2: long a, b, c, d, e, f;
};

__attribute__((noinline)) static long weigh(struct box b) {
    long sum = 0;
    for (unsigned i = 0; i < sizeof b / sizeof b.a; i++)
        sum += opaque_number((&b.a)[i]);
    return sum;
}

void handle(const char *line) {
    long n = argument(line);
    printf("%ld\n", weigh((struct box){n, n, n, n, n})); //#v2: printf("%ld\n", weigh((struct box){n, n, n, n, n, n}));
}
