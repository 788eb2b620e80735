//#ExpectRefused:data-changed `current` (main.c:
//#Send:go 2
//#Expect:20
// A variable leads to the old table, wherever the new one is.
#include "serve.h"

static const int table[4] = {0, 10, 20, 30}; //#v2: static const int table[4] = {0, 10, 25, 30};
static const int *volatile current = table;

void handle(const char *line) { printf("%d\n", current[argument(line) & 3]); }
