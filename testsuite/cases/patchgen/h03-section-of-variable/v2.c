#include "serve.h"

__attribute__((section("levels"))) int level = 3;

void handle(const char *line) { printf("%d\n", (int)opaque_number(level)); }
