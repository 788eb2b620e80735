#include "serve.h"

static const int table[4] = {0, 11, 21, 31};
static const int *volatile current = table;
static const int limit = 3;

__attribute__((noinline)) static const int *the_limit(void) { return (const int *)opaque((const char *)&limit); }

void handle(const char *line) { printf("%d %d of %d, new\n", current[argument(line) & 3], table[argument(line) & 3], *the_limit()); }
