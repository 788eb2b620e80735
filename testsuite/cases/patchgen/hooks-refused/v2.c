#include "serve.h"

int limit = 10;

__attribute__((noinline)) void show(void) { printf("%s %d\n", opaque("new"), limit); }

void handle(const char *line) {
    if (is(line, "raise"))
        limit++;
    show();
}
