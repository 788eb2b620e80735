// The point is counted, costs no call while nothing happens, and is passed through updates.
#include "serve.h"
#include <dsu.h>

__attribute__((noinline)) long work(long n) { return opaque_number(n * 2); }

void handle(const char *line) {
    DSU_QUIESCENCE_POINT();
    printf("%ld\n", work(argument(line)));
}
