#include "serve.h"

__attribute__((noinline)) long walk(long depth) {
    printf("new %ld\n", depth);
    return depth > 0 ? walk(depth - 1) + 1 : 0;
}

void handle(const char *line) { printf("depth %ld\n", walk(argument(line))); }
