// Nobody calls it any more, but a pointer to it is out there: it goes on working.
#include "serve.h"

typedef long rule(long);
static rule *volatile kept;

__attribute__((noinline)) long price(long n);
__attribute__((noinline)) long price(long n) {
    return opaque_number(n);
}

void handle(const char *line) {
    if (is(line, "price"))
        printf("%ld\n", price(argument(line)));
    else if (is(line, "kept"))
        printf("%ld\n", kept ? kept(argument(line)) : 0);
}
