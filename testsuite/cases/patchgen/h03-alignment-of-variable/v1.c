//#ExpectRefused:data-changed align
//#Send:go
//#Expect:3
// New code may rely on an alignment that the variable in the process does not have.
#include "serve.h"

int level = 3; //#v2: __attribute__((aligned(64))) int level = 3;

void handle(const char *line) { printf("%d\n", (int)opaque_number(level)); }
