#include "serve.h"

int limit = 20;

__attribute__((noinline)) void show(void) { printf("%s is %d\n", opaque("the limit"), limit); }

void handle(const char *line) {
    if (is(line, "raise"))
        limit++;
    show();
}
