// New code may rely on an alignment that the variable in the process does not have.
#include "serve.h"

__attribute__((aligned(64))) int level = 3;

void handle(const char *line) { printf("%d\n", (int)opaque_number(level)); }
