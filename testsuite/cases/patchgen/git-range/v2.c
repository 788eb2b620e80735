#include "serve.h"

__attribute__((noinline)) const char *work(void) { return opaque("new"); }

void handle(const char *line) {
    (void)line;
    puts(work());
}
