// A weak function that another unit overrides, and one that nobody does.
#include "serve.h"

__attribute__((weak, noinline)) const char *overridden(void) { return "weak"; }
__attribute__((weak, noinline)) int weak_alone(void) { return 2; }

void handle(const char *line) { printf("%s %d\n", overridden(), weak_alone()); }
