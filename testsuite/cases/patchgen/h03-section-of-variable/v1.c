//#ExpectRefused:data-changed section
//#Send:go
//#Expect:3
#include "serve.h"

int level = 3; //#v2: __attribute__((section("levels"))) int level = 3;

void handle(const char *line) { printf("%d\n", (int)opaque_number(level)); }
