// A literal of the new version outlives the version: the pointer stays valid after the revert.
#include "serve.h"

static const char *volatile kept;

__attribute__((noinline)) const char *greet(void) {
    puts("shared text");
    return opaque("good day");
}

__attribute__((noinline)) void other(void) { puts("shared text"); }

void handle(const char *line) {
    if (is(line, "greet"))
        kept = greet();
    else
        other();
    puts(kept);
}
