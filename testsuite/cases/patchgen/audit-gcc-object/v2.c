#include "serve.h"

int limit_of(int);
const char *name_of(int);

void handle(const char *line) { printf("%d %s\n", limit_of(line[0] == 'x'), name_of(line[0] == 'g')); }
