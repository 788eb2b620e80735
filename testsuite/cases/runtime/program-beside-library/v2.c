// The program changes and calls into an instrumented library through its PLT, and reads its variable.
#include "serve.h"

extern int stock;
const char *origin(void);

void handle(const char *line) { printf("%d from %s\n", stock + 1, origin()); }
