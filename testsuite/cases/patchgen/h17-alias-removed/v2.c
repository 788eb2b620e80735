#include "serve.h"

__attribute__((noinline)) int first(void) { return (int)opaque_number(3); }

void handle(const char *line) { printf("%d\n", first() + 1); }
