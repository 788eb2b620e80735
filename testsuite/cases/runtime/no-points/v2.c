#include "serve.h"

__attribute__((noinline)) const char *answer(void) { return opaque("new"); }

void handle(const char *line) {
    (void)line;
    puts(answer());
}
