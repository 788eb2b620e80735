#include "serve.h"

__attribute__((noinline)) long price(long items) { return items * 11; }

void handle(const char *line) {
    if (is(line, "total"))
        printf("%ld\n", price(argument(line)));
}
