// patchgen looks at the libraries of the base, as the dynamic linker will.
#include "serve.h"

int stock(void);

void handle(const char *line) { printf("%d\n", stock() + 1); }
