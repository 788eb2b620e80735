// There is a function that `--wrap=abs` would lead to, but no sign whether it was given.
#include "serve.h"

void handle(const char *line) { printf("%d\n", abs((int)opaque_number(-2))); }
